"""The API against its own OpenAPI document: requests that fit it, and requests that do not.

Every operation of the document is tried, whichever routes the application has. ``FUZZ_CASES`` says how many
requests there are at least; `make fuzz` sends more of them, and others each time.
"""

import os

import pytest
import schemathesis
from fastapi import FastAPI
from starlette.testclient import TestClient

from configs.settings import Limits
from serve_app.access.key_file import edit_key_file
from serve_app.access.keys import make_key
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings

from hostile.fuzzing import Fuzzer, list_operations

API_KEY = "a-key-for-tests"
CASES = int(os.environ.get("FUZZ_CASES", "5000"))
KEY, _ = make_key("shop")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, make_reader) -> FastAPI:
    """The API with every route that an operator can have, over a reader without networks."""
    keys_file = tmp_path_factory.mktemp("keys") / "keys.yaml"
    keys_file.write_text("keys: []")
    edit_key_file(keys_file, lambda keys: (*keys, KEY))
    auth = AuthSettings(API_KEY, ("https://app.example.com",), keys_file=keys_file)
    reader = make_reader()
    reader.keeps = True
    return create_app(reader, Limits(max_bytes=200_000), auth, "1.2.3")


@pytest.mark.timeout(7200)
def test_each_operation_answers_as_its_document_says(app: FastAPI) -> None:
    """No server error, no undocumented status or media type; bodies and headers fit their schemas."""
    operations = list_operations(schemathesis.openapi.from_asgi("/openapi.json", app))
    fuzzer = Fuzzer(API_KEY, {"key_id": KEY.id}, repeatable="FUZZ_CASES" not in os.environ)
    fuzzer.send(operations, CASES)
    print(f"{fuzzer.sent.total()} requests: {dict(fuzzer.sent)}")
    # The test would be green with none.
    assert fuzzer.sent.total() >= CASES
    assert {operation.label for operation in operations} == set(fuzzer.sent)


def test_other_methods_are_refused_as_documented(app: FastAPI) -> None:
    """Each method that a path does not have gets a problem document, never a server error."""
    operations = list_operations(schemathesis.openapi.from_asgi("/openapi.json", app))
    known = {(operation.method.upper(), operation.path.replace("{key_id}", "a")) for operation in operations}
    with TestClient(app, headers={"x-api-key": API_KEY}) as client:
        for path in sorted({path for _, path in known}):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "ODD"):
                if (method, path) not in known:
                    answer = client.request(method, path)
                    assert answer.status_code in (404, 405), (method, path, answer.status_code)
