"""A model whose answers are always the same, for quiz questions and flashcards where no real model is available.

It is served at an OpenAI-compatible address of this process, so that the demo calls it like any model.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("script.json")
REPLACING = "The question to replace:"  # in the processor's request for a single new question
PAUSE_SECONDS = 4.0  # before a complete answer: time to see its progress, and to cancel
SHORT_PAUSE_SECONDS = 1.0  # before a single question


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Serve on a free port of the loopback interface; yields the API base."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="scripted-model", daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Log nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        asked = "\n\n".join(str(message.get("content")) for message in body["messages"])
        form = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        time.sleep(SHORT_PAUSE_SECONDS if REPLACING in asked else PAUSE_SECONDS)
        completion = {
            "id": "script",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": body.get("model"),
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": answer(form, asked)}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }
        payload = json.dumps(completion).encode()
        with contextlib.suppress(ConnectionError):  # the client may have disconnected
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)


def answer(form: str, asked: str) -> str:
    """An answer as JSON, with items about the text in ``asked`` first.

    Args:
        form: ``quiz_questions`` or ``flashcards``; any other name gets both.
        asked: the whole request.
    """
    script = _script()
    cards, questions = (_ordered(script[name], asked) for name in ("cards", "questions"))
    if form == "flashcards":
        return json.dumps({"cards": cards})
    if form == "quiz_questions" and REPLACING in asked:
        questions = [_replacement(questions, asked)]
    quiz = {"collection_name": script["collection_name"], "questions": questions}
    return json.dumps(quiz if form == "quiz_questions" else {**quiz, "cards": cards})


def _ordered(items: Iterable[Mapping[str, Any]], asked: str) -> list[dict[str, Any]]:
    ordered = sorted(items, key=lambda item: item["about"] not in asked)
    return [{name: value for name, value in item.items() if name != "about"} for item in ordered]


def _replacement(questions: Sequence[dict[str, Any]], asked: str) -> dict[str, Any]:
    """The next question after the one to replace that is not in use."""
    replaced = asked.partition(REPLACING)[2].partition("\n\n")[0]
    start = next((index for index, question in enumerate(questions) if question["display_name"] in replaced), 0)
    following = [*questions[start + 1 :], *questions[:start]]
    unused = (each for each in following if re.sub(r"<[^>]+>", "", each["question_html"]) not in asked)
    return next(unused, following[0])


@cache
def _script() -> dict[str, Any]:
    script: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return script
