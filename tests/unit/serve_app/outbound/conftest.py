"""A resolver and sockets that write down what is tried; no packet leaves the machine."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from serve_app.outbound.resolver import AddressInfo

PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


class Rerouted(socket.socket):
    """A socket that ends up at a local server, whatever it is told to connect to."""

    port = 0

    def connect(self, address: Any) -> None:
        super().connect(("127.0.0.1", self.port))


@dataclass
class Wire:
    """Names with their addresses, a list for each time that they are asked for; and what was connected to."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    port: int = 0

    def open_socket(self, info: AddressInfo) -> socket.socket:
        """Note the attempt; nobody is there unless a local server is."""
        self.tried.append(str(info[4][0]))
        if not self.port:
            raise ConnectionRefusedError
        rerouted = Rerouted(socket.AF_INET, socket.SOCK_STREAM)
        rerouted.port = self.port
        return rerouted


class FakeResolver(AbstractResolver):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The next addresses of a name; the last ones stay. What nobody has set is public."""
        self._wire.asked.append(host)
        answers = self._wire.names.get(host, [[PUBLIC]])
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if not addresses:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def resolver(wire: Wire) -> FakeResolver:
    return FakeResolver(wire)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class LocalServer:
    """A real HTTP server on a free port of the loopback interface; each test says what it answers."""

    port: int = 0
    answer: Handler | None = None
    requests: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Note the request and answer it."""
        self.requests.append(request)
        self.bodies.append(await request.read())
        assert self.answer is not None
        return await self.answer(request)  # type: ignore[arg-type]


@pytest.fixture
async def server(wire: Wire) -> AsyncIterator[LocalServer]:
    """Reached under every public address."""
    local = LocalServer()
    runner = web.ServerRunner(web.Server(local.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    local.port = wire.port = runner.addresses[0][1]
    yield local
    await runner.cleanup()
