"""Documents in buckets of a real moto server."""

import asyncio

import httpx
import pytest

from configs.settings import Limits
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings
from serve_app.outbound.buckets import BucketPolicy, Buckets
from serve_app.outbound.errors import NotAllowed, TimedOut, TooLong, Unreachable
from serve_app.outbound.references import References, ReferenceSettings

from .conftest import OnePage
from moto_process import CREDENTIALS, REGION, make_client

pytestmark = pytest.mark.aws

KEYS = ["in/a.pdf", "in/a b/한글 #1.pdf", "in/a%20b.pdf", "in/a+b?v=1.pdf", "out/a.pdf"]


@pytest.fixture(scope="module")
def bucket(moto_url: str) -> str:
    client = make_client("s3", moto_url)
    client.create_bucket(Bucket="docs", CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in KEYS:
        client.put_object(Bucket="docs", Key=key, Body=key.encode())
    return "docs"


@pytest.fixture(autouse=True)
def credentials(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a node has them."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": moto_url, "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def buckets() -> Buckets:
    return Buckets(BucketPolicy.parse("docs/in, gone"), 20.0)


@pytest.mark.parametrize("key", KEYS[:-1])
async def test_an_object_is_read_by_its_very_key(bucket: str, buckets: Buckets, key: str) -> None:
    """Blanks, percent signs and letters of other scripts are its own."""
    assert await buckets.get(f"s3://{bucket}/{key}", 100) == key.encode()


async def test_an_object_beside_the_prefix_is_not_asked_for(bucket: str, buckets: Buckets) -> None:
    """Though it is there."""
    with pytest.raises(NotAllowed):
        await buckets.get(f"s3://{bucket}/out/a.pdf", 100)


@pytest.mark.parametrize("address", ["s3://docs/in/none.pdf", "s3://gone/a.pdf"])
async def test_an_object_that_is_not_there_is_unreachable(
    bucket: str, buckets: Buckets, address: str
) -> None:
    """Like one that the service may not read."""
    with pytest.raises(Unreachable):
        await buckets.get(address, 100)


async def test_an_object_may_have_so_many_bytes(bucket: str, buckets: Buckets) -> None:
    """And not one more."""
    size = len(KEYS[0].encode())
    assert len(await buckets.get(f"s3://{bucket}/{KEYS[0]}", size)) == size
    with pytest.raises(TooLong):
        await buckets.get(f"s3://{bucket}/{KEYS[0]}", size - 1)


async def test_a_store_that_does_not_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time that the operator gives."""
    async with await asyncio.start_server(lambda *_: asyncio.Event().wait(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        with pytest.raises(TimedOut):
            await Buckets(BucketPolicy.parse("docs"), 0.5).get("s3://docs/a.pdf", 100)


async def test_a_document_is_read_from_a_bucket(bucket: str) -> None:
    """Over the API; an object that is not allowed is refused, one that is not there is unreachable."""
    settings = ReferenceSettings.from_environment({"INPUT_BUCKETS": "docs/in"})
    app = create_app(OnePage(), Limits(), AuthSettings("key"), "1", references=References(settings))  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app)
    headers = {"x-api-key": "key"}
    async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client:
        answers = [
            await client.post("/ocr", json={"s3": f"s3://docs/{key}"})
            for key in ("in/a.pdf", "out/a.pdf", "in/b.pdf")
        ]
    assert answers[0].status_code == 200, answers[0].text
    assert [answer.json()["code"] for answer in answers[1:]] == [
        "reference_not_allowed",
        "reference_unreachable",
    ]
