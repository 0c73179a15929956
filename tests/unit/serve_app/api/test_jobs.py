"""Jobs over HTTP: the real application, desk, database, storage and engine; only the reading is simple."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from job_process import Bench, running_bench, watch

from configs.jobs import ArchiveLimits, JobsStage
from configs.settings import Limits
from deployments.errors import StageNotInstalled
from deployments.jobs.states import Order, Webhook
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings
from serve_app.jobs.desk import JobDesk

KEY, OTHER = "a-key-for-tests", "another-key"
STAGE = JobsStage(max_files=20, max_file_bytes=1000, archive=ArchiveLimits(max_entries=10))


@dataclass
class Office:
    """An API with jobs, called with one key; ``reader`` is the bench that reads for it."""

    client: httpx.AsyncClient
    bench: Bench

    async def post(self, *texts: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Hand in files with these texts."""
        files = [("file", (f"{place}.png", text.encode())) for place, text in enumerate(texts)]
        return await self.client.post("/v1/jobs", files=files, data=fields, headers=headers)

    async def finish(self, *texts: str, **fields: str) -> str:
        """Hand in files, wait for the job's end; its path."""
        path = (await self.post(*texts, **fields)).headers["location"]
        assert (await self.client.get(path, params={"wait": 30})).json()["ended"]
        return path


@pytest.fixture(scope="module")
def module_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("jobs")
    with running_bench({"OCR_DATA_DIR": str(folder)}) as bench:
        yield bench


@pytest.fixture
async def office(module_bench: Bench) -> AsyncIterator[Office]:
    async def check(order: Order, webhook: Webhook | None) -> None:
        if order.options.get("lang") == "xx":
            raise StageNotInstalled("Nobody reads that here.")

    desk = JobDesk(module_bench.settings, STAGE, check, module_bench.engine.wake)
    app = create_app(
        None,
        Limits(),
        AuthSettings(KEY, api_keys=OTHER),
        "1",
        jobs=desk,  # type: ignore[arg-type]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service", headers={"x-api-key": KEY}, timeout=60
    ) as client:
        yield Office(client, module_bench)


async def test_a_job_is_accepted_read_and_its_results_fetched(office: Office) -> None:
    """202 with the place to look at; progress by page; results of each file in each form."""
    accepted = await office.post("3", "2 bad=2", "encrypted", task="structure", formats="json,markdown")
    assert accepted.status_code == 202
    job_id = accepted.json()["id"]
    assert accepted.headers["location"] == f"/v1/jobs/{job_id}"
    assert int(accepted.headers["retry-after"]) >= 1
    job = (await office.client.get(accepted.headers["location"], params={"wait": 30})).json()
    assert (job["status"], job["files_ended"]) == ("partial", 3)
    assert (job["pages_total"], job["pages_processed"], job["pages_failed"]) == (5, 4, 1)
    assert [file["status"] for file in job["files"]] == ["done", "partial", "failed"]
    assert job["files"][2]["error"]["code"] == "encrypted_pdf"
    for form in ("json", "markdown"):
        assert (await office.client.get(job["files"][0]["results"][form])).text == "1,2,3"
    file = (await office.client.get(f"/v1/jobs/{job_id}/files/1")).json()
    assert [page["status"] for page in file["pages"]] == ["done", "failed"]
    assert file["pages"][1]["error"]["code"] == "malformed_pdf"


@pytest.mark.parametrize("path", ["/batch", "/v1/batch", "/jobs"])
async def test_a_job_has_the_paths_that_clients_know(office: Office, path: str) -> None:
    """One document as the body itself is a job as well."""
    headers = {"content-type": "application/pdf"}
    assert (await office.client.post(path, content=b"1", headers=headers)).status_code == 202


async def test_a_result_is_not_sent_again_to_who_has_it(office: Office) -> None:
    """`ETag` and `If-None-Match`."""
    path = await office.finish("1")
    first = await office.client.get(f"{path}/files/0/result")
    again = await office.client.get(
        f"{path}/files/0/result", headers={"if-none-match": first.headers["etag"]}
    )
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


async def test_all_results_come_as_one_zip(office: Office) -> None:
    """Each file in each form; those that failed have none."""
    path = await office.finish("2", "encrypted", task="ocr", formats="text")
    answer = await office.client.get(f"{path}/results")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "0000-0.png.json": b"1,2",
            "0000-0.png.txt": b"1,2",
        }


async def test_why_there_is_no_result_is_told(office: Office) -> None:
    """The file's own code; a form that was not asked for; nothing under that number."""
    path = await office.finish("1", "encrypted")
    failed = await office.client.get(f"{path}/files/1/result")
    assert (failed.status_code, failed.json()["code"]) == (422, "encrypted_pdf")
    unasked = await office.client.get(f"{path}/files/0/result?format=xlsx")
    assert (unasked.status_code, unasked.json()["code"]) == (409, "result_not_ready")
    missing = await office.client.get(f"{path}/files/9/result")
    assert (missing.status_code, missing.json()["code"]) == (404, "job_not_found")


async def test_a_zip_is_taken_as_its_documents(office: Office) -> None:
    """Paths are cleaned, what programs hide there is left out."""
    data = pack({"a/1.png": b"1", "../../etc/2.png": b"2", "__MACOSX/x": b"9", ".DS_Store": b"9", "d/": b""})
    answer = await office.client.post("/jobs", files={"file": ("docs.zip", data)})
    assert [file["name"] for file in answer.json()["files"]] == ["a/1.png", "etc/2.png"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04 and nothing more", "malformed_archive"),
        (b"", "malformed_archive"),
        ({"x.zip": b"PK\x03\x04abc"}, "malformed_archive"),
        ({f"{place}.png": b"1" for place in range(11)}, "too_many_files"),
        ({"bomb": b"\0" * 20_000_000}, "too_large"),
    ],
)
async def test_a_zip_that_is_none_or_too_much_is_refused(
    office: Office, data: bytes | dict[str, bytes], code: str
) -> None:
    """Broken, nested, too many files, larger than it looks."""
    content = pack(data or {}) if not isinstance(data, bytes) or not data else data
    answer = await office.client.post("/jobs", files={"file": ("docs.zip", content)})
    assert answer.json()["code"] == code
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"task": "sing"}, "task"),
        ({"formats": "json,tape"}, "formats"),
        ({"dpi": "9999"}, "dpi"),
        ({"nonsense": "1"}, "nonsense"),
        ({"timeout_s": "3"}, "timeout_s"),
        ({"webhook_url": "ftp://example.com", "webhook_secret": "s" * 16}, "webhook_url"),
        ({"webhook_url": "https://example.com", "webhook_secret": "short"}, "webhook_secret"),
    ],
)
async def test_an_order_that_no_route_would_take_is_refused(
    office: Office, fields: dict[str, str], field: str
) -> None:
    """Before anything is kept, with the option's name."""
    answer = await office.post("1", **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert answer.json()["errors"][0]["field"] == field


async def test_what_nobody_can_read_here_is_refused(office: Office) -> None:
    """As the single route would, for the whole job."""
    assert (await office.post("1", lang="xx")).json()["code"] == "stage_not_installed"


async def test_limits_of_files_are_kept(office: Office) -> None:
    """Too many, too large, none."""
    assert (await office.post(*["1"] * 21)).status_code in (400, 413)
    assert (await office.post("1" * 1001)).json()["code"] == "too_many_bytes"
    assert (await office.client.post("/jobs", data={"task": "ocr"}, files={})).status_code in (400, 415)


async def test_the_same_key_gives_the_same_job(office: Office) -> None:
    """A repeated request is answered as the first one; another one with the same key is refused."""
    headers = {"idempotency-key": "order-1"}
    first, again = await office.post("1", "2", headers=headers), await office.post("1", "2", headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    other = await office.post("1", "3", headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    stranger = await office.post("1", "3", headers={**headers, "x-api-key": OTHER})
    assert stranger.status_code == 202


async def test_two_requests_at_once_with_one_key_are_one_job(office: Office) -> None:
    """Whoever comes second gets the first one's job."""
    headers = {"idempotency-key": "order-2"}
    answers = await asyncio.gather(*[office.post("1", headers=headers) for _ in range(6)])
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_nobody_sees_the_jobs_of_others(office: Office) -> None:
    """Every route says 404, as for a job that does not exist."""
    path = await office.finish("1")
    other = {"x-api-key": OTHER}
    for suffix in ("", "/files/0", "/files/0/result", "/results", "/events"):
        answer = await office.client.get(path + suffix, headers=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    assert (await office.client.post(f"{path}/cancel", headers=other)).status_code == 404
    assert (await office.client.delete(path, headers=other)).status_code == 404
    listed = (await office.client.get("/jobs?limit=100", headers=other)).json()["data"]
    assert path.rpartition("/")[2] not in [job["id"] for job in listed]
    assert (await office.client.get(path)).status_code == 200


async def test_jobs_are_listed_page_by_page(office: Office) -> None:
    """The newest first; the cursor is the last id."""
    made = [(await office.post("1")).json()["id"] for _ in range(3)]
    first = (await office.client.get("/jobs", params={"limit": 2})).json()
    assert [job["id"] for job in first["data"]] == made[:0:-1]
    assert (first["has_more"], first["last_id"]) == (True, made[1])
    rest = (await office.client.get("/jobs", params={"limit": 1, "after": first["last_id"]})).json()
    assert [job["id"] for job in rest["data"]] == [made[0]]


async def test_a_cancelled_job_keeps_what_was_read(office: Office) -> None:
    """Files that were done have their results; the others are cancelled; nothing is read any more."""
    path = (await office.post("1", "3 hang")).headers["location"]
    async for file in watch(lambda: office.client.get(f"{path}/files/0")):
        if file.json()["status"] == "done":
            break
    assert (await office.client.post(f"{path}/cancel")).json()["status"] == "cancelled"
    job = (await office.client.get(path)).json()
    assert [file["status"] for file in job["files"]] == ["done", "cancelled"]
    assert (await office.client.get(f"{path}/files/0/result")).status_code == 200


async def test_a_deleted_job_is_gone_with_all_of_it(office: Office) -> None:
    """Running or ended: 204, then 404, and nothing of it lies in the storage."""
    running = (await office.post("3 hang")).headers["location"]
    ended = await office.finish("1")
    for path in (running, ended):
        assert (await office.client.delete(path)).status_code == 204
        assert (await office.client.get(path)).status_code == 404
    for path in (running, ended):
        prefix = f"jobs/{path.rpartition('/')[2]}/"
        async for keys in watch(lambda prefix=prefix: office.bench.box.storage.list_keys(prefix)):
            if not keys:
                break


async def test_events_begin_with_a_snapshot_and_can_be_resumed(office: Office) -> None:
    """Each change has a number; who comes back with the last one is told what came after."""
    path = (await office.post("3 slow", "1")).headers["location"]
    events = read_events((await office.client.get(f"{path}/events")).text)
    assert events[0]["event"] == "job"
    assert [file["index"] for file in events[0]["data"]["files"]] == [0, 1]
    assert events[-1]["event"] == "end"
    assert events[-1]["data"]["status"] == "done"
    numbers = [int(event["id"]) for event in events]
    assert numbers == sorted(numbers)
    resumed = read_events((await office.client.get(f"{path}/events", headers={"last-event-id": "2"})).text)
    assert all(int(event["id"]) > 2 for event in resumed)
    done = {(event["data"]["file"], event["data"]["number"]) for event in resumed if event["event"] == "page"}
    assert done == {(0, 1), (0, 2), (0, 3), (1, 1)}
    last = {"last-event-id": events[-1]["id"]}
    assert [
        e["event"] for e in read_events((await office.client.get(f"{path}/events", headers=last)).text)
    ] == ["end"]


async def test_a_folder_takes_no_uploads_of_its_own(office: Office) -> None:
    """That is for buckets."""
    answer = await office.client.post("/uploads")
    assert (answer.status_code, answer.json()["code"]) == (422, "uploads_unavailable")


async def test_nothing_is_accepted_that_cannot_be_kept(office: Office, tmp_path: Path) -> None:
    """A storage or a database that cannot be used: 503 with its code, and no job."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    for broken, code in (
        ({"storage_url": (blocked / "jobs").as_uri()}, "storage_unavailable"),
        ({"database_url": f"sqlite:///{blocked}/jobs.sqlite"}, "jobs_unavailable"),
    ):
        settings = office.bench.settings.model_validate({**office.bench.settings.model_dump(), **broken})

        async def check(order: Order, webhook: Webhook | None) -> None:
            """Everything is possible."""

        desk = JobDesk(settings, STAGE, check, lambda: None)
        app = create_app(None, Limits(), AuthSettings(KEY), "1", jobs=desk)  # type: ignore[arg-type]
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://service", headers={"x-api-key": KEY}
        ) as client:
            answer = await client.post("/jobs", files={"file": b"1"})
        assert (answer.status_code, answer.json()["code"]) == (503, code)
        assert int(answer.headers["retry-after"]) > 0
        assert str(blocked) not in answer.text


def pack(files: dict[str, bytes]) -> bytes:
    """A ZIP of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def read_events(text: str) -> list[dict[str, object]]:
    """The events of a stream."""
    events = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            events.append({**lines, "data": json.loads(lines["data"])})
    return events
