"""HTTP from inside a network namespace, where alone its loopback interface can be reached."""

import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

_NETWORK = 0x40000000  # CLONE_NEWNET


class NamespaceClient:
    """Asks from a thread that lives in the namespace; only that thread does."""

    def __init__(self, namespace: str, base_url: str, headers: Mapping[str, str]) -> None:
        self._thread = ThreadPoolExecutor(1, initializer=_enter, initargs=(namespace,))
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=30)

    def get(self, path: str) -> httpx.Response:
        """The answer. Raises `httpx.TransportError` when there is none."""
        return self._run(lambda: self._client.get(path))

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._run(self._client.close)
        self._thread.shutdown()

    def _run(self, call: Callable[[], Any]) -> Any:
        return self._thread.submit(call).result()


def _enter(namespace: str) -> None:
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"no entry into {namespace}")
    finally:
        os.close(descriptor)
