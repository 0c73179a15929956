"""Reading documents over HTTP."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from configs.settings import Limits
from deployments.document import Page
from deployments.errors import DeadlineExceeded
from serve_app.deadlines import limit_time

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}


@pytest.mark.parametrize("path", ["/ocr", "/v1/ocr"])
async def test_a_document_becomes_its_text(client: httpx.AsyncClient, path: str) -> None:
    """Under the name that clients know, and under the versioned one."""
    answer = await client.post(path, **PNG, params={"words": "true"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["text"] == "Hello"
    assert body["pages"][0]["lines"][0]["words"][0]["text"] == "Hello"
    assert body["models"][0]["model"] == "PP-OCRv5_mobile_det"
    assert body["options"]["words"] is True


async def test_times_stand_in_body_and_header(client: httpx.AsyncClient) -> None:
    """A browser shows `Server-Timing` beside the request."""
    answer = await client.post("/ocr", **PNG)
    assert answer.json()["timings_ms"]["detection"] == 1.5
    assert "detection;dur=1.5" in answer.headers["server-timing"]
    assert "total;dur=" in answer.headers["server-timing"]


async def test_a_document_whose_only_page_failed_is_an_error(client: httpx.AsyncClient, reader) -> None:
    """The page's own code decides on the status."""
    reader.fail_pages(1)
    answer = await client.post("/ocr", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_pdf")
    assert answer.json()["detail"] == "Page 1 cannot be drawn."


async def test_a_document_of_several_failed_pages_is_answered(client: httpx.AsyncClient, reader) -> None:
    """Each page then says what is wrong with it."""
    reader.fail_pages(1, 2)
    answer = await client.post("/ocr", **PNG)
    assert answer.status_code == 200
    assert (answer.json()["pages_total"], answer.json()["pages_processed"]) == (2, 0)
    assert [page["error"]["code"] for page in answer.json()["pages"]] == ["malformed_pdf"] * 2


async def test_an_empty_page_is_no_error(client: httpx.AsyncClient, reader) -> None:
    """A blank sheet has no text."""
    reader.pages = (Page(1, 10, 10),)
    answer = await client.post("/ocr", **PNG)
    assert (answer.status_code, answer.json()["text"]) == (200, "")


class TestTimeLimit:
    """A service whose requests may take a hundredth of a second."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Leave a request next to no time."""
        return Limits(request_timeout_s=0.01)

    async def test_a_reading_that_takes_too_long_is_stopped(self, client: httpx.AsyncClient, reader) -> None:
        """The stages learn of it, because the reading is cancelled."""
        reader.hangs = True
        answer = await client.post("/ocr", **PNG)
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert reader.cancelled

    async def test_a_body_that_takes_too_long_is_not_waited_for(
        self, client: httpx.AsyncClient, reader
    ) -> None:
        """A slow sender is not served."""

        class StalledBody:
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield b"%PDF"
                await asyncio.Event().wait()

        headers = {"content-type": "application/pdf"}
        answer = await client.post("/ocr", content=StalledBody(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")
        assert not reader.calls


async def test_a_caller_may_have_less_time(client: httpx.AsyncClient, reader) -> None:
    """`timeout_s` shortens the service's own limit, and never lengthens it."""
    reader.hangs = True
    answer = await client.post("/ocr?timeout_s=0.01", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert reader.cancelled
    for wrong in ("0", "-1", "nan", "soon"):
        answer = await client.post(f"/ocr?timeout_s={wrong}", **PNG)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")


async def test_a_full_service_refuses_before_the_body_is_read(client: httpx.AsyncClient, reader) -> None:
    """With the time after which to come again."""
    reader.full_for_s = 7
    reads = 0

    class CountedBody:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal reads
            reads += 1
            yield b"x"

    answer = await client.post("/ocr", content=CountedBody(), headers={"content-type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == "7"
    assert reads == 0
    assert not reader.calls


async def test_a_time_out_inside_the_reader_is_not_the_requests_own() -> None:
    """Only the request's own clock makes a deadline."""
    with pytest.raises(TimeoutError):
        async with limit_time(60.0, DeadlineExceeded()):
            raise TimeoutError


async def test_a_cancelled_request_cancels_the_reading(app: FastAPI, reader) -> None:
    """The cancellation passes through every layer and is answered by none."""
    reader.hangs = True
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        headers = {"content-type": "image/png", "x-api-key": "a-key-for-tests"}
        task = asyncio.create_task(client.post("/ocr", content=b"x", headers=headers))
        await reader.is_reading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert reader.cancelled
