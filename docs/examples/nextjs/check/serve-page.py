"""serve-page.py PORT FOLDER: serves a folder, and ends after it has written down what a page posts to it."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

port, folder = int(sys.argv[1]), sys.argv[2]


class Handler(SimpleHTTPRequestHandler):
    """Files, and one place to post to."""

    def do_POST(self) -> None:
        """Keep the text and end."""
        text = self.rfile.read(int(self.headers["content-length"]))
        Path(folder, "told").write_bytes(text)
        self.send_response(204)
        self.end_headers()
        Thread(target=server.shutdown).start()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=folder))
server.serve_forever()
