"""`GET /debug/paddle`: Paddle's own check of its installation, for an operator with the key."""

from typing import Any

from fastapi import APIRouter, Depends

from serve_app.api.openapi import DEBUG_PROBLEMS, describe_problems
from serve_app.api.reader import DocumentReader
from serve_app.auth import KeyCheck


def make_debug_router(reader: DocumentReader, check_key: KeyCheck) -> APIRouter:
    """Make the route that runs the check; it may take a minute or two."""
    router = APIRouter(tags=["service"], dependencies=[Depends(check_key)])

    @router.get(
        "/debug/paddle",
        summary="Run Paddle's own check of its installation",
        response_description="What the check said; `ok` is false, with a `reason`, where Paddle fails.",
        responses=describe_problems(DEBUG_PROBLEMS),
    )
    async def check_paddle() -> dict[str, Any]:
        return await reader.check_paddle()

    return router
