"""A server of files on this machine, as those from which the service may fetch documents."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass
class FileServer:
    """What it was asked for with a GET, query and all, and the bodies that were posted to it."""

    asked: list[str] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)
    has_post: Event = field(default_factory=Event)


@contextmanager
def serving_files(port: int, files: Mapping[str, tuple[str, bytes]]) -> Iterator[FileServer]:
    """Serve files by their path, each with its media type; everything else is not there."""
    seen = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append(self.path)
            media_type, data = files.get(self.path.partition("?")[0], ("", b""))
            self.answer(200 if media_type else 404, media_type or "text/plain", data)

        def do_POST(self) -> None:
            seen.posted.append(self.rfile.read(int(self.headers["content-length"])))
            seen.has_post.set()
            self.answer(204, "text/plain", b"")

        def answer(self, status: int, media_type: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
