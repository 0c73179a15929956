"""Jobs whose documents and results lie in S3, as far as moto plays it."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from job_process import Bench, running_bench

from configs.jobs import JobsStage
from configs.settings import Limits
from deployments.errors import StorageUnavailable
from deployments.jobs.states import Order, Webhook
from deployments.jobs.storage import JobStorage
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings
from serve_app.jobs.desk import JobDesk

from moto_process import CREDENTIALS, make_client

pytestmark = pytest.mark.aws

KEY = "a-key-for-tests"
BUCKET = "jobs"
# Ten thousand take moto most of a minute: JOBS_S3_KEYS=10000.
MANY = int(os.environ.get("JOBS_S3_KEYS", "2100"))


@pytest.fixture(autouse=True)
def credentials(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a node of the cluster, but for the address."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": moto_url, "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    client = make_client("s3", moto_url)
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": CREDENTIALS["AWS_DEFAULT_REGION"]}
    ) if BUCKET not in {one["Name"] for one in client.list_buckets()["Buckets"]} else None


@pytest.fixture
def bench(credentials: None, tmp_path: Path) -> Iterator[Bench]:
    environment = {"OCR_DATA_DIR": str(tmp_path), "OCR_JOBS_S3": f"s3://{BUCKET}/{tmp_path.name}"}
    with running_bench(environment) as bench:
        yield bench


async def test_a_job_in_s3_from_a_signed_upload_to_its_deletion(bench: Bench, moto_url: str) -> None:
    """A document is sent to the bucket itself, a job takes it, results come out, all is deleted."""

    async def check(order: Order, webhook: Webhook | None) -> None:
        """Everything is possible."""

    desk = JobDesk(bench.settings, JobsStage(), check, bench.engine.wake)
    app = create_app(None, Limits(), AuthSettings(KEY), "1", jobs=desk)  # type: ignore[arg-type]
    async with (
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://service", headers={"x-api-key": KEY}
        ) as client,
        httpx.AsyncClient() as internet,
    ):
        place = (await client.post("/v1/uploads", params={"name": "long.pdf"})).json()
        early = await client.post("/v1/jobs", params={"upload_id": place["id"]})
        assert (early.status_code, early.json()["code"]) == (404, "job_not_found")
        assert (await internet.put(place["url"], content=b"3")).status_code == 200
        fields = {"upload_id": place["id"], "task": "ocr"}
        path = (await client.post("/v1/jobs", data=fields, files={"file": b"2"})).headers["location"]
        job = (await client.get(path, params={"wait": 60})).json()
        assert (job["status"], job["pages_processed"]) == ("done", 5)
        assert [file["name"] for file in job["files"]] == ["upload", "long.pdf"]
        assert (await client.get(job["files"][1]["results"]["json"])).text == "1,2,3"
        keys = list_bucket(moto_url, bench.settings.storage_url)
        assert any("/inputs/" in key for key in keys)
        # What a job has taken lies with the job alone.
        assert not any("/uploads/" in key for key in keys)
        again = await client.post("/v1/jobs", params={"upload_id": place["id"]})
        assert again.status_code == 404
        assert (await client.delete(path)).status_code == 204
    assert list_bucket(moto_url, bench.settings.storage_url) == []


async def test_thousands_of_keys_are_listed_and_deleted(moto_url: str) -> None:
    """A bucket gives a thousand at a time: none is forgotten."""
    storage = JobStorage(f"s3://{BUCKET}/many")
    gate = asyncio.Semaphore(64)

    async def put(number: int) -> None:
        async with gate:
            await storage.put(f"jobs/a/{number:05d}", b"x")

    await asyncio.gather(*map(put, range(MANY)))
    keys = await storage.list_keys("jobs/a/")
    assert sorted(keys) == [f"jobs/a/{number:05d}" for number in range(MANY)]
    assert await storage.list_jobs() == ["a"]
    assert await storage.delete_all("jobs/a/") == MANY
    assert await storage.list_keys("jobs/") == []


async def test_a_bucket_that_is_gone_is_told_as_such(moto_url: str) -> None:
    """Not as a document that was lost."""
    storage = JobStorage("s3://no-such-bucket/jobs")
    with pytest.raises(StorageUnavailable):
        await storage.put("jobs/a/1", b"x")
    with pytest.raises(StorageUnavailable):
        await storage.list_keys("jobs/")


def list_bucket(moto_url: str, storage_url: str) -> list[str]:
    """The keys under a storage's address."""
    prefix = storage_url.removeprefix(f"s3://{BUCKET}/")
    listed = make_client("s3", moto_url).list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [one["Key"] for one in listed.get("Contents", ())]
