"""An HTTP client for addresses that strangers name: it goes only where the operator's policy lets it.

The address that was checked is the one that is connected to. aiohttp resolves a name once for a connection,
by `GuardedResolver`, and asks for a socket for each address that it is about to connect to: it is checked
there again, so that one that was never resolved (a literal one) does not slip through. Nothing is kept
between requests: no connection, no cookie, no name's address. The environment's proxies and `.netrc` do not
count.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from serve_app.outbound.errors import NotAllowed, TimedOut, TooLong, Unreachable
from serve_app.outbound.policy import OutboundPolicy, Target
from serve_app.outbound.resolver import (
    AddressInfo,
    GuardedResolver,
    OpenSocket,
    SystemResolver,
    check_address,
    open_socket,
)

_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK_BYTES = 64 * 1024
# Of an answer that nobody reads, so much is taken off the wire.
_IGNORED_BYTES = 64 * 1024
# Nothing is ever unpacked here: an answer that is packed all the same is refused.
_HEADERS = {"User-Agent": "ocr-serve", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class OutboundLimits:
    """How long a request may take, in seconds, and how often it may be sent elsewhere."""

    total_s: float = 30.0
    connect_s: float = 5.0
    idle_s: float = 10.0
    redirects: int = 3


class OutboundClient:
    """Calls what ``policy`` allows. Belongs to one event loop.

    ``resolver`` and ``open_socket`` stand for the system's; tests watch by them what is tried.
    """

    def __init__(
        self,
        policy: OutboundPolicy,
        limits: OutboundLimits | None = None,
        resolver: AbstractResolver | None = None,
        open_socket: OpenSocket = open_socket,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._limits = limits or OutboundLimits()
        self._resolver = resolver
        self._open_socket = open_socket
        self._tls = tls

    def check(self, url: str) -> Target:
        """What a URL names. Raises `NotAllowed` where it would be refused without asking anybody."""
        return self._policy.admit(url)

    async def get(self, url: str, max_bytes: int) -> bytes:
        """The body that a URL answers with status 200, after at most a few redirects.

        Raises `NotAllowed` for the URL itself, `Unreachable`, `TimedOut` and `TooLong`.
        """
        target = self.check(url)
        async with self._limited():
            for _ in range(self._limits.redirects + 1):
                async with self._ask("GET", target) as answer:
                    if answer.status not in _REDIRECTS:
                        return await _read_body(answer, max_bytes)
                    location = answer.headers.get("Location", "")
                try:
                    target = self.check(str(target.url.join(URL(location, encoded=location.isascii()))))
                except (NotAllowed, ValueError):
                    # Not the caller's own words: where a server sends us is not for them to learn.
                    raise Unreachable("a redirect to where nothing is allowed") from None
        raise Unreachable("too many redirects")

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send bytes and return the status, whatever it is; redirects are not followed.

        Raises `NotAllowed`, `Unreachable` and `TimedOut`.
        """
        target = self.check(url)
        async with self._limited(), self._ask("POST", target, body, headers) as answer:
            await answer.content.read(_IGNORED_BYTES)
            return answer.status

    async def close(self) -> None:
        """Let go of the resolver's threads."""
        if self._resolver is not None:
            await self._resolver.close()

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        """Turn what aiohttp raises into the errors of this package, within the time."""
        try:
            async with asyncio.timeout(self._limits.total_s):
                yield
        except TimeoutError:
            raise TimedOut("no whole answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(type(error).__name__) from None

    @asynccontextmanager
    async def _ask(
        self, method: str, target: Target, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with (
            self._open_session(target) as session,
            session.request(
                method,
                target.url,
                data=body,
                headers={**_HEADERS, **(headers or {})},
                allow_redirects=False,
            ) as answer,
        ):
            yield answer

    def _open_session(self, target: Target) -> aiohttp.ClientSession:
        if self._resolver is None:
            self._resolver = SystemResolver()

        def open_checked(info: AddressInfo) -> socket.socket:
            check_address(str(info[4][0]), target)
            return self._open_socket(info)

        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(self._resolver, target),
            socket_factory=open_checked,
            use_dns_cache=False,
            force_close=True,
            # One address after the other, so that the first refusal is the last.
            happy_eyeballs_delay=None,
            ssl=self._tls or True,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                sock_connect=self._limits.connect_s, sock_read=self._limits.idle_s, total=None
            ),
            auto_decompress=False,
            trust_env=False,
        )


async def _read_body(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if answer.status != 200:
        raise Unreachable(f"status {answer.status}", answer.status)
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Unreachable("a packed answer, which was not asked for")
    if (answer.content_length or 0) > max_bytes:
        raise TooLong("too long by its own account")
    data = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise TooLong("too long")
    return bytes(data)
