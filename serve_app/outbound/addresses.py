"""Which IP addresses may be connected to: those of the public internet, and no others.

The list is IANA's registries of special-purpose addresses, written out, because `ipaddress` knows them in the
state of its Python release (`is_global` was corrected in 3.11.10). Of IPv6 only what is handed out for the
internet (2000::/3) is public, and of that nothing that carries an IPv4 address inside: mapped, compatible,
translated (NAT64), 6to4, Teredo and ISATAP addresses are refused, whatever they carry.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Refused even where a rule allows private addresses: machines tell their credentials there.
_NEVER = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host
            "169.254.0.0/16",  # link-local: metadata of AWS, GCP, Azure; credentials of ECS and EKS
            "168.63.129.16/32",  # Azure's platform, a public number
            "100.100.100.200/32",  # Alibaba's metadata
            "192.0.0.192/32",  # Oracle's metadata
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "fd00:ec2::/32",  # AWS's metadata and credentials
            "fd20:ce::/32",  # GCP's metadata
            "fe80::/10",  # link-local
            "ff00::/8",  # multicast
        ),
    )
)
_PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
        ),
    )
)
_SPECIAL = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation, as the next two
            "198.51.100.0/24",
            "203.0.113.0/24",
            "192.31.196.0/24",  # AS112, as 192.175.48.0/24
            "192.175.48.0/24",
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "198.18.0.0/15",  # benchmarks
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation, as 3fff::/20
            "3fff::/20",
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
        ),
    )
)
_INTERNET_V6 = IPv6Network("2000::/3")
# The middle of an ISATAP address's last 64 bits; an IPv4 address follows it.
_ISATAP_MARKS = (0x00005EFE, 0x02005EFE)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet."""
    if isinstance(address, IPv6Address):
        mark = (int(address) >> 32) & 0xFFFFFFFF
        if address not in _INTERNET_V6 or address.scope_id is not None or mark in _ISATAP_MARKS:
            return False
    special = address.is_private or address.is_multicast or address.is_reserved or address.is_unspecified
    return not special and not _is_in(address, (*_NEVER, *_PRIVATE, *_SPECIAL))


def is_private(address: Address) -> bool:
    """Whether an address is of a private network or this machine, where an operator may have a server."""
    return _is_in(address, _PRIVATE) and not _is_in(address, _NEVER)


def parse_address(text: str) -> Address | None:
    """An address in its one usual spelling; None for everything else."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return None
    return address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
