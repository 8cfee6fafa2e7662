"""The separate exams service on loopback, as far as a learner's own attempt goes."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ExamsService:
    """Answers with ``attempt``, whoever asks.

    Attributes:
        attempt: what the service knows of the learner's latest attempt; empty when no clock is running.
        status: of the answer.
        body: in place of the attempt's JSON.
        delay: seconds before the answer.
        requests: path and headers of each call.
    """

    def __init__(self) -> None:
        self.attempt: dict[str, Any] = {}
        self.status = 200
        self.body: bytes | None = None
        self.delay = 0.0
        self.requests: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/v1"

    def __enter__(self) -> ExamsService:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.requests.append((self.path, dict(self.headers)))
                time.sleep(service.delay)
                body = json.dumps(service.attempt).encode() if service.body is None else service.body
                try:
                    self.send_response(service.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # who asked has given up

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
