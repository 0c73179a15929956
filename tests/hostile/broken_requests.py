"""Requests that are hostile as HTTP, whatever the file in them: each is written to a socket byte by byte."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_BOUNDARY = "frontier"
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class RawRequest:
    """Bytes to be sent in pieces, with a pause before each but the first; ``cut`` then ends the sending."""

    pieces: tuple[bytes, ...]
    pause_s: float = 0.0
    cut: bool = False


def send_raw(url: str, request: RawRequest) -> int | None:
    """The status of the answer, None where the connection is closed without one."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with closing(socket.create_connection((parts.hostname, parts.port), _TIMEOUT_S)) as connection:
        try:
            for number, piece in enumerate(request.pieces):
                if number:
                    time.sleep(request.pause_s)
                connection.sendall(piece)
            if request.cut:
                # Whoever has answered and hung up already leaves nothing to end.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            head = b""
            while b"\r\n" not in head:
                part = connection.recv(4096)
                if not part:
                    return None
                head += part
        except (ConnectionError, TimeoutError):
            return None
    return int(head.split(b" ", 2)[1])


def make_requests(key: str, good: bytes) -> Mapping[str, RawRequest]:
    """Requests by name; ``good`` is a file that can be read."""

    def head(body_bytes: int | None, *more: str, content_type: str | None = None) -> bytes:
        lines = [
            "POST /ocr HTTP/1.1",
            "Host: service",
            f"x-api-key: {key}",
            f"Content-Type: {content_type or f'multipart/form-data; boundary={_BOUNDARY}'}",
            *([] if body_bytes is None else [f"Content-Length: {body_bytes}"]),
            *more,
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    form = build_form([("file", "page.png", good)])
    many = build_form([(f"field{number}", None, b"x") for number in range(10_000)])
    files = build_form([("file", "page.png", good)] * 100)
    same = build_form([("lang", None, b"en")] * 60 + [("file", "page.png", good)])
    wide = form.replace(b"Content-Disposition", b"X-Wide: " + b"w" * 200_000 + b"\r\nContent-Disposition")
    headers = form.replace(b"Content-Disposition", b"X-A: b\r\n" * 20_000 + b"Content-Disposition")
    return {
        "body shorter than it says": RawRequest((head(len(form) + 500) + form,), cut=True),
        "body longer than it says": RawRequest((head(len(form) - 500) + form,)),
        "body of none": RawRequest((head(0),)),
        "a terabyte announced": RawRequest((head(10**12) + form[:1000],), cut=True),
        "a length of words": RawRequest((head(None, "Content-Length: many") + form,)),
        "a negative length": RawRequest((head(None, "Content-Length: -5") + form,)),
        "two lengths": RawRequest((head(5, f"Content-Length: {len(form)}") + form,)),
        "a length and chunks": RawRequest((head(5, "Transfer-Encoding: chunked") + form,), cut=True),
        "chunks of garbage": RawRequest((head(None, "Transfer-Encoding: chunked") + b"zz\r\nabc\r\n",)),
        "a chunk of exabytes": RawRequest(
            (head(None, "Transfer-Encoding: chunked") + b"ffffffffffffff\r\n" + form,), cut=True
        ),
        "chunks of one byte": RawRequest(
            (head(None, "Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n",)
        ),
        "10,000 parts": RawRequest((head(len(many)) + many,)),
        "100 files": RawRequest((head(len(files)) + files,)),
        "one option 60 times": RawRequest((head(len(same)) + same,)),
        "a part with a wide header": RawRequest((head(len(wide)) + wide,)),
        "a part with 20,000 headers": RawRequest((head(len(headers)) + headers,)),
        "another boundary": RawRequest(
            (head(len(form), content_type="multipart/form-data; boundary=x") + form,)
        ),
        "no boundary": RawRequest((head(len(form), content_type="multipart/form-data") + form,)),
        "a long boundary": RawRequest(
            (head(len(form), content_type=f"multipart/form-data; boundary={'b' * 4000}") + form,)
        ),
        "an odd charset": RawRequest(
            (
                head(len(form), content_type=f"multipart/form-data; boundary={_BOUNDARY}; charset=rot13")
                + form,
            )
        ),
        "no end": RawRequest((head(len(form) - 20) + form[:-20],)),
        "a part without a name": RawRequest(
            (head(len(form) - 12) + form.replace(b'name="file"; ', b""),), cut=True
        ),
        "100 kB of headers": RawRequest((head(len(form), f"X-Wide: {'w' * 100_000}") + form,)),
        "a thousand headers": RawRequest((head(len(form), *["X-A: b"] * 1000) + form,)),
        "nulls in a header": RawRequest((head(len(form), "X-A: \0\0") + form,)),
        "compressed by nobody": RawRequest((head(len(form), "Content-Encoding: gzip") + form,)),
        "not HTTP": RawRequest((b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(200),), cut=True),
        "one line": RawRequest((b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",), cut=True),
        "slow headers": RawRequest(tuple(bytes([byte]) for byte in head(5)[:10]), 0.2, cut=True),
        "slow body": RawRequest((head(len(form)), *_cut(form, 20)), 0.2),
        "slow and cut": RawRequest((head(len(form)), *_cut(form, 20)[:10]), 0.1, cut=True),
    }


def attacks(url: str, key: str, good: bytes) -> Iterator[tuple[str, Callable[[], int | None]]]:
    """Each request by name, to be sent by calling."""
    for name, request in make_requests(key, good).items():
        yield name, lambda request=request: send_raw(url, request)


def build_form(fields: list[tuple[str, str | None, bytes]]) -> bytes:
    """A multipart body: name, file name and content of each part."""
    parts = []
    for name, file_name, content in fields:
        shown = "" if file_name is None else f'; filename="{file_name}"'
        parts.append(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def _cut(data: bytes, pieces: int) -> list[bytes]:
    size = -(-len(data) // pieces)
    return [data[start : start + size] for start in range(0, len(data), size)]
