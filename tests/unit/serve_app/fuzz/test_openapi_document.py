"""The API against its own OpenAPI document: requests that fit it, and requests that do not.

Every operation of the document is tried, whichever routes the application has. ``FUZZ_CASES`` says how many
requests there are at least; `make fuzz` sends more of them, and others each time.
"""

import math
import os
from collections import Counter
from itertools import product

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from configs.settings import Limits
from serve_app.access.key_file import edit_key_file
from serve_app.access.keys import make_key
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings

API_KEY = "a-key-for-tests"
# Of the statuses of failing servers, only those of one that has no room or no time.
ALLOWED_SERVER_ERRORS = (503, 504)
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
CASES = int(os.environ.get("FUZZ_CASES", "5000"))
SETTINGS = settings(
    deadline=None,
    database=None,
    derandomize="FUZZ_CASES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
sent: Counter[str] = Counter()
# Nobody guesses an id: every second request has one that there is.
known_ids: dict[str, str] = {}


@pytest.fixture(scope="module")
def fuzzed_app(tmp_path_factory: pytest.TempPathFactory, make_reader) -> FastAPI:
    """The API with every route that an operator can have, over a reader without networks."""
    keys_file = tmp_path_factory.mktemp("keys") / "keys.yaml"
    keys_file.write_text("keys: []")
    record, _ = make_key("shop")
    known_ids["key_id"] = record.id
    edit_key_file(keys_file, lambda keys: (*keys, record))
    auth = AuthSettings(API_KEY, ("https://app.example.com",), keys_file=keys_file)
    reader = make_reader()
    reader.keeps = True
    return create_app(reader, Limits(max_bytes=200_000), auth, "1.2.3")


@pytest.fixture(scope="module")
def operations(fuzzed_app: FastAPI) -> list[APIOperation]:
    """All that the document describes."""
    document = schemathesis.openapi.from_asgi("/openapi.json", fuzzed_app)
    return [result.ok() for result in document.get_all_operations()]


@pytest.mark.timeout(3600)
def test_each_operation_answers_as_its_document_says(operations: list[APIOperation]) -> None:
    """No server error, no undocumented status or media type; bodies and headers fit their schemas."""
    # Those with little to choose from first: what they cannot use is left to the others.
    by_size = sorted(operations, key=lambda operation: (operation.body is not None, len(operation.query)))
    rounds = list(product(by_size, (GenerationMode.NEGATIVE, GenerationMode.POSITIVE)))
    for place, (operation, mode) in enumerate(rounds):
        left = CASES - sum(sent.values())
        share = max(10, math.ceil(1.1 * left / (len(rounds) - place)))
        try:
            send_cases(operation, mode, share)
        except Unsatisfiable:
            # Whatever is sent to it, an operation without parameters has nothing that could not fit.
            assert mode == GenerationMode.NEGATIVE, operation.label
    print(f"{sum(sent.values())} requests", dict(sent))
    # All of this would be green with none.
    assert sum(sent.values()) >= CASES, sent


def send_cases(operation: APIOperation, mode: GenerationMode, count: int) -> None:
    """Send so many requests that fit the document, or that do not, and check each answer."""

    @settings(SETTINGS, max_examples=count)
    @given(operation.as_strategy(generation_mode=mode))
    def send_case(case: Case) -> None:
        sent[operation.label] += 1
        if sent[operation.label] % 2:
            case.path_parameters.update({k: v for k, v in known_ids.items() if k in case.path_parameters})
        answer = case.call(headers={"x-api-key": API_KEY})
        assert answer.status_code < 500 or answer.status_code in ALLOWED_SERVER_ERRORS, answer.text
        case.validate_response(answer, checks=CHECKS)

    send_case()


def test_other_methods_are_refused_as_documented(fuzzed_app: FastAPI, operations: list[APIOperation]) -> None:
    """Each method that a path does not have gets a problem document, never a server error."""
    paths = {operation.path.replace("{key_id}", "a") for operation in operations}
    known = {(operation.method.upper(), operation.path.replace("{key_id}", "a")) for operation in operations}
    with TestClient(fuzzed_app, headers={"x-api-key": API_KEY}) as client:
        for path in sorted(paths):
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "ODD"}:
                if (method, path) not in known:
                    answer = client.request(method, path)
                    assert answer.status_code in (404, 405), (method, path, answer.status_code)
