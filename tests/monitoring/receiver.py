"""A real HTTP server on this machine that takes what channels send, or refuses it."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`answer` is the status it gives, once `open` is set; `bodies` what came, with the path it came to."""

    answer: int = 200
    open: threading.Event = field(default_factory=threading.Event)
    bodies: list[tuple[str, Any]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        assert self.server is not None
        return int(self.server.server_address[1])

    def url(self, path: str) -> str:
        """The address of a channel, as Apprise writes it."""
        return f"json://127.0.0.1:{self.port}/{path}"

    def at(self, path: str) -> list[Any]:
        return [body for there, body in self.bodies if there == f"/{path}"]

    def __enter__(self) -> "Receiver":
        receiver = self
        self.open.set()

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                raw = self.rfile.read(length).decode()
                receiver.bodies.append((self.path, json.loads(raw) if raw else None))
                receiver.open.wait()
                self.send_response(receiver.answer)
                self.send_header("content-length", "0")
                self.end_headers()

            do_POST = _take
            do_GET = _take

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.server is not None
        self.open.set()
        self.server.shutdown()
        self.server.server_close()
