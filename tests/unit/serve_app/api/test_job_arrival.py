"""What is taken as a job, and what is not."""

import asyncio
from pathlib import Path

import httpx
import pytest
from job_office import KEY, OTHER, STAGE, Office, pack

from configs.settings import Limits
from deployments.jobs.states import Order, Webhook
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings
from serve_app.jobs.desk import JobDesk


@pytest.mark.parametrize("path", ["/batch", "/v1/batch", "/jobs"])
async def test_a_job_has_the_paths_that_clients_know(office: Office, path: str) -> None:
    """One document as the body itself is a job as well."""
    headers = {"content-type": "application/pdf"}
    assert (await office.client.post(path, content=b"1", headers=headers)).status_code == 202


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


async def test_nobody_fills_the_queue_alone(office: Office, tmp_path: Path) -> None:
    """Too many of one key, too many of all: 503 with a time, and others are not concerned by the first."""
    stage = STAGE.model_copy(update={"max_open_jobs": 3, "max_open_jobs_per_owner": 2})
    places = {
        "database_url": f"sqlite:///{tmp_path}/jobs.sqlite",
        "storage_url": (tmp_path / "jobs").as_uri(),
    }
    settings = office.bench.settings.model_validate({**office.bench.settings.model_dump(), **places})

    async def check(order: Order, webhook: Webhook | None) -> None:
        """Everything is possible."""

    # Nobody reads them, so that none of them ends.
    desk = JobDesk(settings, stage, check, lambda: None)
    app = create_app(None, Limits(), AuthSettings(KEY, api_keys=OTHER), "1", jobs=desk)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:

        async def post(key: str) -> httpx.Response:
            return await client.post("/jobs", files={"file": b"1"}, headers={"x-api-key": key})

        assert [(await post(KEY)).status_code for _ in range(3)] == [202, 202, 503]
        assert (await post(OTHER)).status_code == 202
        full = await post(OTHER)
        assert (full.status_code, full.json()["code"], full.headers["retry-after"]) == (503, "busy", "30")
        (job, *_) = (await client.get("/jobs", headers={"x-api-key": KEY})).json()["data"]
        assert (await client.post(f"/jobs/{job['id']}/cancel", headers={"x-api-key": KEY})).status_code == 200
        assert (await post(KEY)).status_code == 202
