"""Resolves names in threads of its own, and hands on nothing that may not be connected to."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from serve_app.outbound.addresses import parse_address
from serve_app.outbound.errors import Unreachable
from serve_app.outbound.policy import Target

# A name server that never answers may hold so many threads, and none of those that read documents.
_THREADS = 8

# What aiohttp gives for a connection that it is about to open: as `socket.getaddrinfo` returns it.
AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
OpenSocket = Callable[[AddressInfo], socket.socket]


class SystemResolver(AbstractResolver):
    """The system's own resolver."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="outbound-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name. Raises `OSError`."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
            # A fourth part is the scope of a link-local address.
            if kind in (socket.AF_INET, socket.AF_INET6) and (len(address) < 4 or not address[3])
        ]

    async def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """Refuses a name as soon as one of its addresses is not for the target: half a name is no better."""

    def __init__(self, inner: AbstractResolver, target: Target) -> None:
        self._inner = inner
        self._target = target

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name. Raises `Unreachable`, and what the inner resolver raises."""
        found = await self._inner.resolve(host, port, family)
        if not found:
            raise Unreachable("the name has no address")
        for one in found:
            check_address(one["host"], self._target)
        return found

    async def close(self) -> None:
        """The inner one is shared."""


def check_address(text: str, target: Target) -> None:
    """Raise `Unreachable` for an address that must not be connected to for this target."""
    address = parse_address(text)
    if address is None or not target.admits(address):
        raise Unreachable("the name leads to an address that is not of the internet")


def open_socket(info: AddressInfo) -> socket.socket:
    """A socket for a connection; nothing is sent yet."""
    family, kind, proto, _, _ = info
    return socket.socket(family, kind, proto)
