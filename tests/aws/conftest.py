"""AWS for all tests of this folder, a moto server or the real one, and an API whose reader reads nothing."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from configs.settings import Limits
from deployments.document import Document, Line, Page
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings

from moto_process import IS_REAL, REGION, aws_environment, make_client, running_moto


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
    """For tests that need moto itself; these are left out with OCR_TEST_AWS=real."""
    if IS_REAL:
        pytest.skip("needs moto itself")
    with running_moto() as url:
        yield url


@pytest.fixture(scope="session")
def aws_url(request: pytest.FixtureRequest) -> str:
    """Where AWS answers: moto, or nothing for AWS itself."""
    return "" if IS_REAL else request.getfixturevalue("moto_url")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> str:
    """The environment of a node that talks to AWS."""
    for name, value in aws_environment(aws_url).items():
        monkeypatch.setenv(name, value)
    return aws_url


@pytest.fixture
def new_name() -> str:
    """A name that nothing in the account has yet."""
    return f"ocr-test-{secrets.token_hex(6)}"


@pytest.fixture
def make_secret(endpoint: str, new_name: str) -> Iterator[Callable[[str], str]]:
    """Make a secret with a text; its name is returned, and it is deleted at the end."""
    client, made = make_client("secretsmanager", endpoint), []

    def make(text: str) -> str:
        name = f"{new_name}-{len(made)}"
        client.create_secret(Name=name, SecretString=text)
        made.append(name)
        return name

    yield make
    for name in made:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def bucket(endpoint: str, new_name: str) -> Iterator[str]:
    """A new bucket, emptied and deleted at the end."""
    client = make_client("s3", endpoint)
    client.create_bucket(Bucket=new_name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=new_name, VersioningConfiguration={"Status": "Enabled"})
    yield new_name
    versions = client.list_object_versions(Bucket=new_name)
    for entry in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
        client.delete_object(Bucket=new_name, Key=entry["Key"], VersionId=entry["VersionId"])
    client.delete_bucket(Bucket=new_name)


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
