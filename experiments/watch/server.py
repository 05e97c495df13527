"""Server: the page of a run on 127.0.0.1, by the standard library alone."""

import json
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from experiments.watch.snapshot import take_snapshot

ADDRESS = "127.0.0.1"
HOSTS = (ADDRESS, "localhost")  # that a browser may have asked for; others are DNS rebinding
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
POLICY += "connect-src 'self'; img-src data:"
PAGE = Path(__file__).parent / "page.html"


def make_server(directory: Path, port: int) -> ThreadingHTTPServer:
    """Returns a server of the page of a run directory on 127.0.0.1; call `serve_forever`.

    `/` is the page, `/snapshot.json` its data, read at each request; there is nothing else. Raises
    ValueError for a port that cannot be used; 0 is any free one.
    """
    pages = {
        "/": ("text/html", lambda: PAGE.read_text(encoding="utf-8")),
        "/snapshot.json": ("application/json", partial(_snapshot_text, directory)),
    }
    try:
        server = ThreadingHTTPServer((ADDRESS, port), partial(_Handler, pages))
    except OSError as error:
        raise ValueError(f"port is {port}: {error.strerror}; choose another with --port") from None
    except OverflowError:
        raise ValueError(f"port is {port}: allowed is 0..65535") from None
    server.daemon_threads = True
    return server


def _snapshot_text(directory: Path) -> str:
    """A snapshot as JSON; of an unreadable directory the error."""
    try:
        content: Any = take_snapshot(directory)
    except (OSError, ValueError) as error:
        content = {"error": str(error)}
    return json.dumps(content, allow_nan=False)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for the given pages: path -> (content type, function that makes the text)."""

    def __init__(self, pages: dict[str, tuple[str, Callable[[], str]]], *given):
        self.pages = pages
        super().__init__(*given)

    def do_GET(self):
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in HOSTS:
            self.send_error(403, "unknown Host")
        elif self.path not in self.pages:
            self.send_error(404)
        else:
            kind, make_text = self.pages[self.path]
            self._send(f"{kind}; charset=utf-8", make_text().encode())

    def _send(self, kind: str, content: bytes):
        self.send_response(200)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", POLICY),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *given):
        """Prints nothing."""
