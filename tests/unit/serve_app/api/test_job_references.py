"""Jobs whose documents are named by their addresses, fetched from a real server on this machine."""

from collections.abc import Iterator

import pytest
from job_office import Office, pack

from serve_app.outbound.references import References, ReferenceSettings

from file_server import FileServer, serving_files
from service import find_free_port

PNG = "image/png"
FILES = {
    "/scans/one.png": (PNG, b"1"),
    "/scans/two%20pages.png": (PNG, b"2"),
    "/many.zip": ("application/zip", pack({"a.png": b"1", "b.png": b"3"})),
    "/heavy": (PNG, b"1" * 1001),
}


@pytest.fixture(scope="module")
def port() -> int:
    return find_free_port()


@pytest.fixture(scope="module", autouse=True)
def server(port: int) -> Iterator[FileServer]:
    with serving_files(port, FILES) as server:
        yield server


@pytest.fixture
def references(port: int) -> References:
    """The operator allows this one server."""
    hosts = {"INPUT_HOSTS": f"http://localhost:{port}@private"}
    return References(ReferenceSettings.from_environment(hosts))


@pytest.fixture
def url(port: int) -> str:
    return f"http://localhost:{port}"


async def list_ids(office: Office) -> list[str]:
    """Of all jobs that there are."""
    jobs = (await office.client.get("/jobs", params={"limit": 100})).json()["data"]
    return [job["id"] for job in jobs]


async def test_documents_of_a_job_are_fetched_and_kept(office: Office, url: str, server: FileServer) -> None:
    """Named in JSON, each by its own address; the signature in one is nobody's name for it."""
    body = {
        "url": [f"{url}/scans/one.png?X-Amz-Signature=s3cret", f"{url}/scans/two%20pages.png"],
        "formats": ["json", "text"],
        "dpi": 72,
    }
    accepted = await office.client.post("/v1/jobs", json=body)
    assert accepted.status_code == 202, accepted.text
    assert [file["name"] for file in accepted.json()["files"]] == ["one.png", "two pages.png"]
    assert "s3cret" not in accepted.text
    asked = list(server.asked)
    job = (await office.client.get(accepted.headers["location"], params={"wait": 30})).json()
    assert (job["status"], job["pages_processed"]) == ("done", 3)
    assert server.asked == asked, "what was accepted is read from the service's own storage"


async def test_files_archives_and_addresses_make_one_job(office: Office, url: str) -> None:
    """In a form, where an address may come several times."""
    files = {"file": ("own.png", b"1", PNG)}
    data = {"url": [f"{url}/many.zip", f"{url}/scans/one.png"]}
    accepted = await office.client.post("/batch", files=files, data=data)
    assert accepted.status_code == 202, accepted.text
    assert [file["name"] for file in accepted.json()["files"]] == ["own.png", "a.png", "b.png", "one.png"]


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("{url}/missing.png", 422, "reference_unreachable"),
        ("{url}/heavy", 413, "reference_too_large"),
        ("http://169.254.169.254/latest/meta-data/", 403, "reference_not_allowed"),
        ("https://elsewhere.example/a.png", 403, "reference_not_allowed"),
        ("file:///etc/passwd", 403, "reference_not_allowed"),
    ],
)
async def test_a_job_with_an_address_that_gives_nothing_is_refused(
    office: Office, url: str, address: str, status: int, code: str
) -> None:
    """As a whole: the caller learns it now, and no part of the job is there."""
    before = await list_ids(office)
    addresses = [f"{url}/scans/one.png", address.format(url=url)]
    answer = await office.client.post("/jobs", json={"url": addresses})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await list_ids(office) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "malformed_request"),
        ({"url": []}, "malformed_request"),
        ({"url": [1]}, "invalid_option"),
        ({"url": {"a": "b"}}, "reference_not_allowed"),
        ({"task": 3, "url": []}, "invalid_option"),
        ({"file": "MQ=="}, "malformed_request"),
        ([], "malformed_request"),
    ],
)
async def test_json_that_is_no_job_is_refused(office: Office, body: object, code: str) -> None:
    """Nothing in it, what is no address, and a document that belongs into a form."""
    answer = await office.client.post("/jobs", json=body)
    assert answer.json()["code"] == code
    assert 400 <= answer.status_code < 500


async def test_an_address_in_the_query_is_no_option(office: Office, url: str) -> None:
    """Every server on the way would write it down."""
    answer = await office.client.post(f"/jobs?url={url}/scans/one.png", files={"file": b"1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
