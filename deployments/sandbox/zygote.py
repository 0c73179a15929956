"""The process that those of a sandbox are forked from: it has loaded the decoders, and has one thread.

    python -m deployments.sandbox.zygote DESCRIPTOR MEMORY_MIB

Over the socket DESCRIPTOR come commands of one byte. ``F`` with a socket: fork a process that serves it;
answered with its id. ``E`` with an id: end that process; answered with how it ended (`os.waitpid`). It ends,
with all of them, when the socket is closed.
"""

import contextlib
import os
import signal
import socket
import struct
import sys

import cv2

from deployments.allocator import return_large_blocks
from deployments.sandbox.serving import serve_tasks

FORK, END = b"F", b"E"
NUMBER = struct.Struct("!i")


def main() -> None:
    """Serve commands until there is nobody to give them."""
    control = socket.socket(fileno=int(sys.argv[1]))
    memory_bytes = int(sys.argv[2]) * 1024 * 1024
    return_large_blocks()
    # A fork has none of the threads of its parent: a pool of them would be waited for in vain.
    cv2.setNumThreads(1)
    children: set[int] = set()
    try:
        while True:
            command, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if command == FORK:
                child = os.fork()
                if child == 0:
                    control.close()
                    serve_tasks(socket.socket(fileno=descriptors[0]), memory_bytes)
                    os._exit(0)
                children.add(child)
                os.close(descriptors[0])
                control.sendall(NUMBER.pack(child))
            elif command == END:
                child = NUMBER.unpack(control.recv(NUMBER.size, socket.MSG_WAITALL))[0]
                children.discard(child)
                control.sendall(NUMBER.pack(_end(child)))
            else:
                return
    finally:
        for child in children:
            _end(child)


def _end(child: int) -> int:
    """Kill a child, unless it is dead already; its status. It is nobody else's until it was waited for."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    main()
