"""Which addresses the operator allows the service to call, and what a URL must look like to be looked at.

A rule is `[http://]host[:port][@private]`:

    files.example.com             https on port 443, of this name alone
    *.example.com                 of every name below it, and not of itself
    files.example.com:8443        https on this port
    http://files.example.com      http, on port 80
    *                             every name of the internet, and literal addresses
    http://minio:9000@private     this very host and port, also where its address is private or loopback
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network
from typing import Self

from yarl import URL

from serve_app.outbound.addresses import Address, Network, is_private, is_public, parse_address
from serve_app.outbound.errors import NotAllowed

MAX_URL_LETTERS = 4096
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
# What browsers and C libraries read as a number: such a name is an address, spelt to be overlooked.
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
# RFC 3986 allows none of these, and parsers do not agree on what they mean.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"^`{|}]")
_RULE = re.compile(r"(?:(https?)://)?(\*\.)?([^@/?#]+?)(@private)?", re.IGNORECASE)


@dataclass(frozen=True)
class HostRule:
    """One entry of the operator's list; ``host`` is ``*`` for every host."""

    scheme: str
    host: str
    port: int
    below: bool = False
    private: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an entry. Raises `ValueError` with a sentence for the operator."""
        match = _RULE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no host such as files.example.com, *.example.com or host:8443")
        scheme, below, authority, private = (part or "" for part in match.groups())
        scheme = scheme.lower() or "https"
        star = authority.partition(":")[0] == "*"
        try:
            url = URL(f"{scheme}://{authority.replace('*', 'any', 1) if star else authority}")
            host = "*" if star else clean_host(url.raw_host or "")
        except (ValueError, NotAllowed):
            raise ValueError(f"{text!r} has no host name or address that can be allowed") from None
        if private and (star or below or url.explicit_port is None):
            raise ValueError(f"{text!r}: @private needs one host and its port")
        return cls(scheme, host, url.port or 0, bool(below), bool(private))

    def matches(self, scheme: str, host: str, port: int) -> bool:
        """Whether this entry is about such an address."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        return self.host == "*" or (host.endswith(f".{self.host}") if self.below else host == self.host)


@dataclass(frozen=True)
class Target:
    """A URL that the policy allows, and what addresses its host may have."""

    url: URL
    private: bool
    refused: tuple[Network, ...] = ()

    def admits(self, address: Address) -> bool:
        """Whether a connection to this address may be opened for the URL."""
        if any(address in network for network in self.refused):
            return False
        return is_public(address) or (self.private and is_private(address))

    def __str__(self) -> str:
        """Scheme, host and port: paths and queries may hold secrets."""
        return f"{self.url.scheme}://{self.url.host_subcomponent}:{self.url.port}"


@dataclass(frozen=True)
class OutboundPolicy:
    """The operator's rules; without any, nothing is allowed. ``refused`` are networks never connected to."""

    rules: tuple[HostRule, ...] = ()
    refused: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, rules: str, refused: str = "") -> Self:
        """Read lists with commas. Raises `ValueError` with a sentence for the operator."""
        return cls(
            tuple(HostRule.parse(part) for part in _split(rules)),
            parse_networks(refused),
        )

    def admit(self, text: str) -> Target:
        """The target that a URL names. Raises `NotAllowed`; nothing is resolved for that."""
        if not self.rules:
            raise NotAllowed("no host is allowed")
        url = parse_url(text)
        host, port = url.raw_host or "", url.port or 0
        matching = [rule for rule in self.rules if rule.matches(url.scheme, host, port)]
        if not matching:
            raise NotAllowed("no rule allows this scheme, host and port")
        target = Target(url, any(rule.private for rule in matching), self.refused)
        address = parse_address(host)
        if address is not None and not target.admits(address):
            raise NotAllowed("not an address of the internet")
        return target


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks such as `10.1.0.0/16` with commas. Raises `ValueError`."""
    return tuple(ip_network(part, strict=False) for part in _split(text))


def parse_url(text: str) -> URL:
    """Read a URL strictly: http or https, no user, no fragment, one spelling. Raises `NotAllowed`."""
    if len(text) > MAX_URL_LETTERS:
        raise NotAllowed(f"the URL has more than {MAX_URL_LETTERS} letters")
    if _FORBIDDEN.search(text):
        raise NotAllowed("the URL has characters that no URL has")
    try:
        # The signature of a presigned URL is over its letters as they are.
        url = URL(text, encoded=text.isascii())
        scheme, port = url.scheme.lower(), url.port
    except ValueError:
        raise NotAllowed("not a URL") from None
    if scheme not in ("http", "https"):
        raise NotAllowed("not an http or https URL")
    if url.raw_user is not None or url.raw_password is not None or "@" in url.raw_authority:
        raise NotAllowed("a user in the URL")
    host = clean_host(url.raw_host or "")
    shown = f"[{host}]" if ":" in host else host
    return URL.build(
        scheme=scheme,
        authority=shown if url.explicit_port is None else f"{shown}:{port}",
        path=url.raw_path or "/",
        query_string=url.raw_query_string,
        encoded=True,
    )


def clean_host(host: str) -> str:
    """A host in lower case, without the root's dot. Raises `NotAllowed` for an address spelt unusually."""
    host = host.lower().removesuffix(".")
    address = parse_address(host)
    if address is not None:
        # Only the usual spelling: nobody else may read another address out of it.
        if isinstance(address, IPv4Address) and str(address) != host:
            raise NotAllowed("an address in an unusual spelling")
        return str(address)
    if _NUMERIC_END.fullmatch(host):
        raise NotAllowed("an address in an unusual spelling")
    if not _NAME.fullmatch(host):
        raise NotAllowed("not a host name")
    return host


def _split(text: str) -> Iterable[str]:
    return filter(None, (part.strip() for part in text.split(",")))
