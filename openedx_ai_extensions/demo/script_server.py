"""The script behind an OpenAI-compatible address of this process, so that the demo asks it as it would ask a model."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openedx_ai_extensions.demo import script

PAUSE = 4.0  # seconds before a whole answer: time to see how far it is, and to cancel
SHORT_PAUSE = 1.0  # before a single question


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Serve on a free port of the loopback interface; yields the API base."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="script", daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        asked = "\n\n".join(str(message.get("content")) for message in body["messages"])
        form = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        time.sleep(SHORT_PAUSE if script.REPLACING in asked else PAUSE)
        message = {"role": "assistant", "content": script.answer(form, asked)}
        payload = json.dumps(
            {
                "id": "script",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": body.get("model"),
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            }
        ).encode()
        # Who asked may be gone by now.
        with contextlib.suppress(ConnectionError):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
