"""Who puts the request's id on an answer."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from serve_app.api.middleware import RequestIdMiddleware


def ask(proxy_echoes: bool, headers: Mapping[str, str]) -> list[str]:
    """All ids on the answer of an application behind the middleware."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("here")

    app = RequestIdMiddleware(Starlette(routes=[Route("/", answer)]), proxy_echoes=proxy_echoes)
    return TestClient(app).get("/", headers=headers).headers.get_list("x-request-id")


def test_behind_a_proxy_that_echoes_ids_no_answer_carries_two() -> None:
    """Serve's proxy adds the header itself."""
    assert ask(True, {"X-Request-Id": "abc"}) == []
    assert ask(False, {"X-Request-Id": "abc"}) == ["abc"]


def test_an_id_that_must_not_be_repeated_is_replaced_even_there() -> None:
    """A fresh id stands beside what the proxy echoes."""
    (replacement,) = ask(True, {"X-Request-Id": "a b"})
    assert len(replacement) == 32
