"""Messages between a replica and a process of its sandbox: a pickle, and its arrays in memory that both map.

The arrays of a message (pixels, files) lie in one anonymous file whose descriptor travels with it: whoever
receives it reads them where they are.
"""

import mmap
import os
import pickle  # nosec B403
import socket
import struct
import tempfile
from collections.abc import Sequence

# Both ends are this program; the other end may have been damaged by a file that it decoded.
_HEADER = struct.Struct("!QQ")
_MAX_MESSAGE_BYTES = 512 * 1024 * 1024


class ChannelClosed(Exception):
    """The other end is gone, or does not speak sense any more."""


def send(channel: socket.socket, message: object) -> None:
    """Send a message that can be pickled. Raises `OSError` when nobody is there."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    envelope = pickle.dumps((body, [view.nbytes for view in views]))
    shared_bytes = sum(view.nbytes for view in views)
    header = _HEADER.pack(len(envelope), shared_bytes)
    if shared_bytes:
        descriptor = _share(views)
        try:
            socket.send_fds(channel, [header], [descriptor])
        finally:
            os.close(descriptor)
    else:
        channel.sendall(header)
    channel.sendall(envelope)


def receive(channel: socket.socket) -> object:
    """The next message. Raises `ChannelClosed`, and `TimeoutError` after the socket's time."""
    try:
        header, descriptors, _, _ = socket.recv_fds(channel, _HEADER.size, 1)
        try:
            header += _receive_bytes(channel, _HEADER.size - len(header), bool(header))
            envelope_bytes, shared_bytes = _HEADER.unpack(header)
            if max(envelope_bytes, shared_bytes) > _MAX_MESSAGE_BYTES or len(descriptors) != bool(
                shared_bytes
            ):
                raise ChannelClosed
            # The mapping keeps the memory when the descriptor is closed.
            shared = (
                memoryview(mmap.mmap(descriptors[0], shared_bytes, access=mmap.ACCESS_READ))
                if shared_bytes
                else memoryview(b"")
            )
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        # Pickles of the service's own processes, which run as the same user.
        body, sizes = pickle.loads(_receive_bytes(channel, envelope_bytes, True))  # nosec B301
    except (EOFError, ConnectionError, pickle.UnpicklingError) as error:
        raise ChannelClosed from error
    return pickle.loads(body, buffers=_cut(shared, sizes))  # nosec B301


def _share(views: Sequence[memoryview]) -> int:
    """A descriptor of memory with these bytes one behind the other."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pages", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    for view in views:
        rest = view
        while rest.nbytes:
            rest = rest[os.write(descriptor, rest) :]
    return descriptor


def _cut(shared: memoryview, sizes: Sequence[int]) -> list[memoryview]:
    parts, start = [], 0
    for size in sizes:
        parts.append(shared[start : start + size])
        start += size
    return parts


def _receive_bytes(channel: socket.socket, count: int, has_begun: bool) -> bytes:
    """Exactly so many bytes."""
    if not has_begun:
        raise ChannelClosed
    received = bytearray()
    while len(received) < count:
        part = channel.recv(min(count - len(received), 1 << 20))
        if not part:
            raise ChannelClosed
        received += part
    return bytes(received)
