"""What the guarded client does where it may go: over real sockets to a real server on this machine."""

import asyncio
import gzip
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from serve_app.outbound.client import OutboundClient, OutboundLimits
from serve_app.outbound.errors import NotAllowed, TimedOut, TooLong, Unreachable
from serve_app.outbound.policy import OutboundPolicy

from .conftest import PUBLIC, FakeResolver, Handler, LocalServer, Wire

OPEN = OutboundPolicy.parse("*, http://*")
SOON = OutboundLimits(total_s=0.2)


def answer_with(body: bytes, **headers: str) -> Handler:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=body, headers=headers)

    return answer


@pytest.fixture
def connect(wire: Wire, resolver: FakeResolver) -> Callable[..., OutboundClient]:
    """A client of the server, under names of the internet."""

    def connect(limits: OutboundLimits | None = None) -> OutboundClient:
        return OutboundClient(OPEN, limits, resolver, wire.open_socket)

    return connect


async def test_an_allowed_private_server_is_reached_with_the_systems_resolver(server: LocalServer) -> None:
    """And only this port of it."""
    server.answer = answer_with(b"%PDF-")
    client = OutboundClient(OutboundPolicy.parse(f"http://localhost:{server.port}@private"))
    assert await client.get(f"http://localhost:{server.port}/a?b=1", 5) == b"%PDF-"
    with pytest.raises(NotAllowed):
        await client.get(f"http://127.0.0.1:{server.port}/a", 5)
    with pytest.raises(NotAllowed):
        await client.get(f"http://localhost:{server.port + 1}/a", 5)
    await client.close()
    (request,) = server.requests
    assert (request.path_qs, request.headers["Host"]) == ("/a?b=1", f"localhost:{server.port}")
    assert request.headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "x-api-key"} & set(request.headers)


async def test_redirects_among_allowed_hosts_are_followed(connect, server: LocalServer, wire: Wire) -> None:
    """Absolute or relative, each in a connection of its own, without the first one's cookies."""

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/1":
            headers = {"Location": "http://b.example.com/2?x=%2F", "Set-Cookie": "a=b"}
            return web.Response(status=302, headers=headers)
        if request.path == "/2":
            return web.Response(status=307, headers={"Location": "3"})
        return web.Response(body=request.path_qs.encode())

    server.answer = answer
    assert await connect().get("http://a.example.com/1", 100) == b"/3"
    assert [request.path_qs for request in server.requests] == ["/1", "/2?x=%2F", "/3"]
    assert wire.asked == ["a.example.com", "b.example.com", "b.example.com"]
    assert all("Cookie" not in request.headers for request in server.requests)


async def test_a_chain_of_redirects_ends(connect, server: LocalServer) -> None:
    """After the first and three more."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": "/again"})

    server.answer = answer
    with pytest.raises(Unreachable, match="too many"):
        await connect().get("http://a.example.com/", 100)
    assert len(server.requests) == 4


@pytest.mark.parametrize("announced", [True, False])
async def test_too_many_bytes_are_refused_while_they_come(
    connect, server: LocalServer, announced: bool
) -> None:
    """Also where the server does not say how many there will be, and would never stop."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if announced:
            return web.Response(body=b"x" * 101)
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 50)

    server.answer = answer
    with pytest.raises(TooLong):
        await connect().get("http://a.example.com/", 100)
    server.answer = answer_with(b"x" * 100)
    assert len(await connect().get("http://a.example.com/", 100)) == 100


async def test_a_packed_answer_is_never_unpacked(connect, server: LocalServer) -> None:
    """Nobody asked for it, and it may unpack to a thousand times its size."""
    server.answer = answer_with(gzip.compress(bytes(10_000_000)), **{"Content-Encoding": "gzip"})
    with pytest.raises(Unreachable, match="packed"):
        await connect().get("http://a.example.com/", 100_000)


@pytest.mark.parametrize("part", ["head", "body"])
async def test_a_slow_server_is_left(connect, server: LocalServer, part: str) -> None:
    """Whether it says nothing, or a byte now and then for ever."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        if part == "body":
            await response.prepare(request)
            await response.write(b"x")
        await asyncio.Event().wait()
        return response

    server.answer = answer
    with pytest.raises(TimedOut):
        await connect(SOON).get("http://a.example.com/", 100)


async def test_a_name_server_that_never_answers_is_left(connect, resolver, monkeypatch) -> None:
    """Within the same time."""

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(resolver, "resolve", hang)
    with pytest.raises(TimedOut):
        await connect(SOON).get("http://a.example.com/", 100)


@pytest.mark.parametrize("status", [204, 206, 304, 403, 404, 500])
async def test_another_status_than_200_is_no_document(connect, server: LocalServer, status: int) -> None:
    """The caller may know which it was."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status)

    server.answer = answer
    with pytest.raises(Unreachable) as raised:
        await connect().get("http://a.example.com/", 100)
    assert raised.value.status == status


async def test_an_answer_that_breaks_off_is_no_document(connect, server: LocalServer) -> None:
    """Half a file must not be read as a whole one."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "50"})
        await response.prepare(request)
        await response.write(b"x")
        assert request.transport is not None
        request.transport.close()
        return response

    server.answer = answer
    with pytest.raises(Unreachable):
        await connect().get("http://a.example.com/", 100)


async def test_a_post_sends_bytes_and_headers_and_gives_the_status(connect, server: LocalServer) -> None:
    """Whatever it is, a redirect included; a long answer is not read to its end."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=308, headers={"Location": "http://127.0.0.1/"}, body=b"x" * 1_000_000)

    server.answer = answer
    headers = {"Content-Type": "application/json", "X-Signature": "v1=abc"}
    assert await connect().post("http://hooks.example.com/h", b'{"a":1}', headers) == 308
    assert server.bodies == [b'{"a":1}']
    assert server.requests[0].headers["X-Signature"] == "v1=abc"
    assert len(server.requests) == 1


async def test_https_is_only_with_a_certificate_for_the_name(
    connect, wire: Wire, resolver: FakeResolver, tmp_path: Path
) -> None:
    """The one that was asked for, and of an authority that is trusted."""
    authority, chain = make_certificate(tmp_path, "files.example.com")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=b"secret")

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    wire.port = runner.addresses[0][1]
    trusting = OutboundClient(
        OPEN, None, resolver, wire.open_socket, tls=ssl.create_default_context(cafile=str(authority))
    )
    try:
        assert await trusting.get("https://files.example.com/", 100) == b"secret"
        for client, host in ((trusting, "other.example.com"), (connect(), "files.example.com")):
            with pytest.raises(Unreachable, match="Certificate"):
                await client.get(f"https://{host}/", 100)
    finally:
        await runner.cleanup()
    assert set(wire.tried) == {PUBLIC}


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, alone and with its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "authority.pem").write_bytes(text)
    (folder / "chain.pem").write_bytes(private + text)
    return folder / "authority.pem", folder / "chain.pem"
