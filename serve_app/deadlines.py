"""How long a request may take. Who runs out of time, like who leaves, is computed no further."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from configs.settings import Limits
from deployments.errors import DeadlineExceeded, ServiceError
from serve_app.error_codes import HttpError
from serve_app.schemas import OcrOptions


def limit_reading(options: OcrOptions, limits: Limits) -> AbstractAsyncContextManager[None]:
    """A time limit for reading one document: the caller's, but never more than the service's."""
    timeout_s = min(options.timeout_s or limits.request_timeout_s, limits.request_timeout_s)
    return limit_time(timeout_s, DeadlineExceeded(f"The document was not read within {timeout_s:g} s."))


@asynccontextmanager
async def limit_time(timeout_s: float, error: ServiceError | HttpError) -> AsyncIterator[None]:
    """Raise ``error`` when the block takes longer than that; a time-out of its own passes through."""
    try:
        async with asyncio.timeout(timeout_s) as timer:
            yield
    except TimeoutError:
        if not timer.expired():
            raise
        raise error from None
