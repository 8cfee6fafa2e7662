"""A moderation endpoint on loopback, in OpenAI's words, that flags what holds a word and can fail."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

FLAGGED = "grumpf"
# https://platform.openai.com/docs/api-reference/moderations/object
SCORES = {"harassment": 0.9, "violence": 0.1}


class Endpoint:
    """Started on entry and stopped on exit.

    Attributes:
        seen: the texts that were looked at.
        status: what it answers with.
        delay: seconds that an answer takes.
        usage: what it reports, if anything.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.models: list[str] = []
        self.status = 200
        self.delay = 0.0
        self.usage: dict[str, int] | None = None
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                endpoint.answer(self)

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        assert handler.path == "/v1/moderations"
        self.seen.append(body["input"])
        self.models.append(body["model"])
        time.sleep(self.delay)
        is_flagged = FLAGGED in body["input"].lower()
        result = {
            "flagged": is_flagged,
            "categories": {"harassment": is_flagged, "violence": False},
            "category_scores": SCORES,
            "category_applied_input_types": {"harassment": ["text"], "violence": ["text"]},
        }
        whole = {"id": "modr-1", "model": body["model"], "results": [result]}
        if self.usage:
            whole["usage"] = self.usage
        payload = json.dumps(whole if self.status == 200 else {"error": {"message": "no"}}).encode()
        handler.send_response(self.status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(payload)))
        handler.end_headers()
        with contextlib.suppress(BrokenPipeError):  # nobody waited
            handler.wfile.write(payload)
