"""One moto server for all tests of this folder, and an API whose reader reads nothing."""

from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from configs.settings import Limits
from deployments.document import Document, Line, Page
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings

from moto_process import running_moto


class OnePage:
    """Reads every document as one empty page of 4 x 5 pixels."""

    def check_room(self) -> None:
        """There is always room."""

    async def read(self, data: bytes, options: object) -> Document:
        """One page, whatever the bytes."""
        lines: tuple[Line, ...] = ()
        return Document((Page(1, 4, 5, lines=lines),), 1, (), {})

    async def keep(self, owner: str, data: bytes, document: Document) -> None:
        """Nothing is kept."""

    async def check_paddle(self) -> dict[str, object]:
        """There is no Paddle."""
        return {"ok": False}


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with running_moto() as url:
        yield url


@pytest.fixture
def connect() -> Callable[[AuthSettings], Any]:
    """A client of an API with these settings."""

    @asynccontextmanager
    async def connect(settings: AuthSettings):
        app = create_app(OnePage(), Limits(), settings, "1")  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            yield client

    return connect
