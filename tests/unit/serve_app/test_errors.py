"""Errors as HTTP answers."""

import json
import logging

import httpx
import pytest

from deployments.errors import Busy, NotReady, StageFailed
from deployments.input_errors import MalformedImage
from serve_app.errors import problem_response

PNG = {"content": b"\x89PNG", "headers": {"content-type": "image/png"}}


def test_a_problem_has_all_members() -> None:
    """RFC 9457's five, the code and the request's id."""
    response = problem_response(MalformedImage("The PNG ends too early."), "id-1", "/ocr")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(response.body) == {
        "type": "urn:ocr-serve:malformed_image",
        "title": "Malformed image",
        "status": 400,
        "detail": "The PNG ends too early.",
        "instance": "/ocr",
        "code": "malformed_image",
        "request_id": "id-1",
    }


@pytest.mark.parametrize(("error", "seconds"), [(Busy("Full.", 7), "7"), (NotReady("Starting.", 0), "1")])
def test_a_busy_service_says_when_to_come_back(error: Busy, seconds: str) -> None:
    """In whole seconds, at least one."""
    assert problem_response(error, "id-1", "/ocr").headers["retry-after"] == seconds


@pytest.mark.parametrize("error", [MalformedImage("Broken."), Busy("Full.", 3), StageFailed()])
async def test_a_readers_error_keeps_its_code_and_status(client: httpx.AsyncClient, reader, error) -> None:
    """What a stage raises is what the caller is told."""
    reader.error = error
    answer = await client.post("/ocr", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (error.status, error.code)
    assert answer.json()["detail"] == error.message


async def test_an_unforeseen_error_tells_nothing_of_the_inside(client, reader, caplog) -> None:
    """Neither answer nor log quotes what may be a document's text; the log has the id and the place."""
    reader.error = RuntimeError("Dear Ms Kim, your account number is 12345")
    with caplog.at_level(logging.ERROR):
        answer = await client.post("/ocr", **PNG)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "account" not in answer.text + caplog.text
    assert answer.headers["x-request-id"] in caplog.text
    assert "RuntimeError" in caplog.text
    assert "in read" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/ocr", 405, "method_not_allowed"),
        ("POST", "/ocr/", 404, "not_found"),
    ],
)
async def test_wrong_paths_and_methods_are_problems_too(
    stranger, method: str, path: str, status: int, code: str
) -> None:
    """The framework's own errors have the same form."""
    answer = await stranger.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == path
    assert status != 405 or answer.headers["allow"] == "POST"


async def test_each_wrong_option_is_named(client: httpx.AsyncClient) -> None:
    """One answer names all of them."""
    answer = await client.post("/ocr", **PNG, params={"dpi": 1, "colour": "red"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_option")
    assert {item["field"] for item in problem["errors"]} == {"dpi", "colour"}
    assert {"field": "colour", "message": "Unknown option"} in problem["errors"]
