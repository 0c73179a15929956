"""What the operator says of documents by their address."""

import pytest

from serve_app.error_codes import ReferenceNotAllowed, ReferenceTimeout, ReferenceUnreachable
from serve_app.outbound.client import OutboundClient, OutboundLimits
from serve_app.outbound.policy import OutboundPolicy
from serve_app.outbound.references import Reference, References, ReferenceSettings

from .conftest import FakeResolver, Wire


async def test_nothing_is_allowed_unless_the_operator_says_so() -> None:
    """Neither hosts nor buckets."""
    references = References(ReferenceSettings.from_environment({}))
    for reference in (Reference("url", "https://a.example/"), Reference("s3", "s3://bucket/key")):
        with pytest.raises(ReferenceNotAllowed):
            await references.fetch(reference, 100, "id")


def test_settings_come_from_the_environment() -> None:
    """Each with a name of its own."""
    settings = ReferenceSettings.from_environment(
        {
            "INPUT_HOSTS": "*.example.com, http://minio:9000@private",
            "INPUT_BUCKETS": "docs/in",
            "INPUT_TIMEOUT_S": "5",
            "REFUSED_NETWORKS": "52.0.0.0/16",
        }
    )
    assert len(settings.hosts.rules) == 2
    assert len(settings.hosts.refused) == 1
    assert settings.buckets.prefixes == (("docs", "in/"),)
    assert settings.timeout_s == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INPUT_HOSTS", "ftp://a"),
        ("INPUT_BUCKETS", "*"),
        ("INPUT_TIMEOUT_S", "0"),
        ("INPUT_TIMEOUT_S", "soon"),
        ("INPUT_TIMEOUT_S", "301"),
        ("REFUSED_NETWORKS", "10"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    """The service does not start with a guess."""
    with pytest.raises(ValueError, match=name):
        ReferenceSettings.from_environment({name: value})


async def test_every_way_of_not_being_reached_looks_alike(wire: Wire, resolver: FakeResolver) -> None:
    """No such name, a name that leads inside, and nobody there: what a name leads to is not for callers."""
    wire.names = {"nowhere.example": [[]], "inside.example": [["10.0.0.5"]]}
    client = OutboundClient(OutboundPolicy.parse("*"), None, resolver, wire.open_socket)
    references = References(ReferenceSettings(), client)
    told = set()
    for name in ("nowhere", "inside", "closed"):
        with pytest.raises(ReferenceUnreachable) as raised:
            await references.fetch(Reference("url", f"https://{name}.example/"), 100, "id")
        told.add((raised.value.code, raised.value.message))
    assert len(told) == 1


async def test_a_time_out_says_how_long_was_waited(server, wire: Wire, resolver: FakeResolver) -> None:
    """The operator's time for a document."""
    import asyncio

    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    server.answer = hang
    policy = OutboundPolicy.parse("http://*")
    client = OutboundClient(policy, OutboundLimits(total_s=0.2), resolver, wire.open_socket)
    references = References(ReferenceSettings(timeout_s=0.2), client)
    with pytest.raises(ReferenceTimeout, match=r"0\.2 seconds"):
        await references.fetch(Reference("url", "http://a.example/"), 100, "id")


def test_a_reference_does_not_show_its_address() -> None:
    """It may be a presigned URL, and whatever logs it would keep the secret."""
    assert "s3cret" not in f"{Reference('url', 'https://a.example/?s3cret')!r}"
