"""`POST /uploads`: an address of the storage to which a caller sends a large document itself."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from serve_app.access.record import find_owner
from serve_app.api.openapi import JOB_PROBLEMS, describe_problems
from serve_app.auth import KeyCheck
from serve_app.error_codes import UploadsUnavailable
from serve_app.jobs.archive import clean_name
from serve_app.jobs.desk import JobDesk
from serve_app.jobs.results import write_time


class JobUpload(BaseModel):
    """Where one document may be sent, and until when."""

    id: str = Field(description="What a job names it by (`upload_id`).", examples=["upl_019a7c3f2b10d3a4"])
    url: str = Field(description="The address; whoever has it may use it.", examples=["https://..."])
    method: str = Field(description="The HTTP method.", examples=["PUT"])
    max_bytes: int = Field(description="A larger document is refused by the job.", examples=[1073741824])
    expires: str = Field(description="When the address ends.", examples=["2026-11-28T10:30:00.000Z"])


def make_job_uploads_router(desk: JobDesk, check_key: KeyCheck) -> APIRouter:
    """Make the route of uploads."""
    router = APIRouter(
        tags=["jobs"], dependencies=[Depends(check_key)], responses=describe_problems(JOB_PROBLEMS)
    )

    @router.post("/uploads", summary="Send a large document to the storage itself", status_code=201)
    async def add_upload(
        request: Request, name: Annotated[str, Query(max_length=400)] = "document"
    ) -> Response:
        if not desk.storage.can_sign:
            raise UploadsUnavailable(
                "The storage of this service is a folder: send documents with the job itself."
            )
        upload = await desk.add_upload(find_owner(request.scope), clean_name(name))
        url = await desk.storage.sign_upload(upload.key, desk.settings.upload_ttl_s)
        shown = JobUpload(
            id=upload.id,
            url=url,
            method="PUT",
            max_bytes=desk.stage.max_upload_bytes,
            expires=write_time(upload.expires_s),
        )
        return Response(
            shown.model_dump_json(), 201, {"Cache-Control": "no-store"}, media_type="application/json"
        )

    return router
