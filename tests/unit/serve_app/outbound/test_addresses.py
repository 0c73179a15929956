"""Which addresses are of the internet."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.outbound.addresses import is_private, is_public, parse_address

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::808:808",
    "64:ff9b:1::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2606:2800::5efe:127.0.0.1",
    "2606:2800::200:5efe:a9fe:a9fe",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fec0::1",
    "4000::1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "192.88.99.1",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
]


@pytest.mark.parametrize("text", NEVER)
def test_what_no_rule_can_allow(text: str) -> None:
    """Metadata, multicast, reserved ranges, and every way to put an IPv4 address into an IPv6 one."""
    assert not is_public(ip_address(text))
    assert not is_private(ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses(text: str) -> None:
    """Of networks where an operator may have a server."""
    assert not is_public(ip_address(text))
    assert is_private(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "93.184.215.14", "172.32.0.1", "2606:2800:21f::1", "2a00::1"])
def test_addresses_of_the_internet(text: str) -> None:
    """May be connected to."""
    assert is_public(ip_address(text))


@given(st.ip_addresses(v=6, network="::/0") | st.ip_addresses(v=4))
def test_no_address_is_both(address: IPv4Address | IPv6Address) -> None:
    """And what a newer Python calls not global is never public here."""
    assert not (is_public(address) and is_private(address))
    assert address.is_global or not is_public(address)


@pytest.mark.parametrize("text", ["127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "fe80::1%eth0", "", "a"])
def test_only_the_usual_spelling_is_an_address(text: str) -> None:
    """Others are for nobody to interpret."""
    assert parse_address(text) is None
