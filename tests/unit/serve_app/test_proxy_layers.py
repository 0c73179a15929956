"""What stands around the HTTP servers of Ray Serve."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from serve_app.proxy_layers import Doorway, make_layers


async def list_ids(request: Request) -> JSONResponse:
    return JSONResponse(request.headers.getlist("x-request-id"), headers={"Cache-Control": "max-age=5"})


@pytest.fixture
def client() -> TestClient:
    """A server's application inside the layers, as Serve puts them around it."""
    app = Starlette(routes=[Route("/", list_ids)])
    (layer,) = make_layers()
    return TestClient(layer.cls(app, *layer.args, **layer.kwargs))


@pytest.mark.parametrize(
    ("sent", "arriving"),
    [
        ([], []),
        (["My.id_1-2"], ["My.id_1-2"]),
        (["two words"], []),
        (["<script>"], []),
        (["x" * 129], []),
        ([""], []),
        (["a", "b"], []),
    ],
)
def test_only_a_plain_id_comes_in(client: TestClient, sent: list[str], arriving: list[str]) -> None:
    """Serve repeats on its answer whatever it gets, and makes one where there is none."""
    answer = client.get("/", headers=[("x-request-id", value) for value in sent])
    assert answer.json() == arriving


def test_every_answer_has_the_security_headers(client: TestClient) -> None:
    """Serve's own too; what the application says of itself stays."""
    assert client.get("/nothing").headers["x-content-type-options"] == "nosniff"
    assert client.get("/").headers["cache-control"] == "max-age=5"


async def test_what_is_not_http_passes() -> None:
    """The start and the end of the server, for instance."""
    seen = []

    async def app(scope, receive, send) -> None:
        seen.append(scope)

    scope = {"type": "lifespan"}
    await Doorway(app)(scope, None, None)  # type: ignore[arg-type]
    assert seen == [scope]
