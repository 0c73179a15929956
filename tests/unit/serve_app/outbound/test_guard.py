"""What a stranger may name and must not reach: refused before a connection is tried."""

import pytest
from aiohttp import web

from serve_app.outbound.client import OutboundClient
from serve_app.outbound.errors import NotAllowed, OutboundError, Unreachable
from serve_app.outbound.policy import OutboundPolicy
from serve_app.outbound.resolver import SystemResolver

from .conftest import PUBLIC, PUBLIC_V6, FakeResolver, LocalServer, Wire

# As open as a policy can be.
OPEN = OutboundPolicy.parse("*, http://*, http://*:8080, http://*:8000, http://*:8265")

BY_URL = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8265/api/jobs",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://[::1]/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://10.0.0.1/",
    "http://192.168.0.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://files.example.com@127.0.0.1/",
    "http://files.example.com:80@169.254.169.254/",
    "http://files.example.com\\@127.0.0.1/",
    "http://files.example.com:22/",
    "http://files.example.com:6379/",
    "file:///etc/passwd",
    "ftp://files.example.com/a",
    "gopher://files.example.com:70/_a",
    "dict://files.example.com/",
    "data:text/plain,a",
    "unix:///var/run/docker.sock",
    "jar:http://files.example.com!/",
]
BY_NAME = {
    "localhost": ["127.0.0.1"],
    "localhost.": ["::1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "inside.example.com": ["10.1.2.3"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "translated.example.com": ["64:ff9b::a9fe:a9fe"],
    "half.example.com": [PUBLIC, "127.0.0.1"],
    "otherhalf.example.com": [PUBLIC_V6, "fd00::1"],
    "scoped.example.com": ["fe80::1%1"],
}


@pytest.fixture
def client(wire: Wire, resolver: FakeResolver) -> OutboundClient:
    wire.names = {name.removesuffix("."): [addresses] for name, addresses in BY_NAME.items()}
    return OutboundClient(OPEN, resolver=resolver, open_socket=wire.open_socket)


async def test_what_may_be_reached_is_tried(client: OutboundClient, wire: Wire) -> None:
    """Or the tests below would prove nothing."""
    with pytest.raises(Unreachable):
        await client.get("http://files.example.com/a", 100)
    with pytest.raises(Unreachable):
        await client.get(f"https://[{PUBLIC_V6}]/a", 100)
    assert (wire.asked, wire.tried) == (["files.example.com"], [PUBLIC, PUBLIC_V6])


@pytest.mark.parametrize("url", BY_URL)
async def test_an_address_is_refused_by_its_text(client: OutboundClient, wire: Wire, url: str) -> None:
    """Nothing is resolved and nothing is connected to, for a GET and for a POST."""
    with pytest.raises(NotAllowed):
        await client.get(url, 100)
    with pytest.raises(NotAllowed):
        await client.post(url, b"", {})
    assert (wire.asked, wire.tried) == ([], [])


@pytest.mark.parametrize("name", BY_NAME)
async def test_a_name_is_refused_by_where_it_leads(client: OutboundClient, wire: Wire, name: str) -> None:
    """All of it, as soon as one address is not of the internet; it looks like a name that there is not."""
    with pytest.raises(Unreachable):
        await client.get(f"http://{name}/", 100)
    with pytest.raises(Unreachable):
        await client.post(f"https://{name}/", b"", {})
    assert (wire.asked, wire.tried) == ([name.removesuffix(".")] * 2, [])


async def test_the_address_that_was_checked_is_the_one_connected_to(
    client: OutboundClient, wire: Wire
) -> None:
    """A name that changes is asked once for a connection; when it is asked again it is checked again."""
    wire.names["changing.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    for _ in range(3):
        with pytest.raises(Unreachable):
            await client.get("http://changing.example.com/", 100)
    assert wire.tried == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://127.0.0.1:8265/",
        "http://0x7f.1/",
        "//[::1]/",
        "http://inside.example.com/",
        "http://changing.example.com/again",
        "file:///etc/passwd",
        "gopher://files.example.com/",
        "http://user@files.example.com/",
        "http://files.example.com:22/",
        "http://a\x01b/",
        "",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_checked_as_the_first_address_was(
    client: OutboundClient, wire: Wire, server: LocalServer, location: str, status: int
) -> None:
    """A good server sends us to a bad place: nobody is connected to there."""
    wire.names["changing.example.com"] = [[PUBLIC], ["127.0.0.1"]]

    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": location.replace("\x01", "\\")})

    server.answer = redirect
    with pytest.raises(OutboundError) as raised:
        await client.get("http://changing.example.com/a", 100)
    # The caller has not named it, and is not to learn what it is.
    assert isinstance(raised.value, Unreachable)
    assert set(wire.tried) == {PUBLIC}


async def test_the_environments_proxy_is_not_asked(
    client: OutboundClient, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would connect for us to whatever it likes."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    with pytest.raises(Unreachable):
        await client.get("http://files.example.com/", 100)
    assert wire.tried == [PUBLIC]


@pytest.mark.parametrize("name", ["localhost", "ip6-localhost.invalid"])
async def test_the_systems_own_resolver_is_guarded_too(wire: Wire, name: str) -> None:
    """What /etc/hosts says of this machine does not get through."""
    client = OutboundClient(OPEN, resolver=SystemResolver(), open_socket=wire.open_socket)
    with pytest.raises(Unreachable):
        await client.get(f"http://{name}/", 100)
    await client.close()
    assert wire.tried == []
