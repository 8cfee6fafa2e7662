"""A site on loopback that has one page, and streams given answers to the widgets on it, in pieces."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

from tests.widget.conftest import POLICY, SOURCES, STATIC

TYPES = {".js": "text/javascript", ".json": "application/json", ".woff2": "font/woff2", ".html": "text/html"}
FOLDERS = {"/static/openedx_ai_extensions/": STATIC, "/node_modules/": SOURCES / "node_modules"}
FORMS = {
    "one-shot": {"request": {"component": "AIRequestComponent", "config": {"buttonText": "Go"}}},
    "chat": {
        "request": {"component": "AIRequestComponent", "config": {"buttonText": "Chat"}},
        "response": {"component": "AISidebarResponse"},
    },
    "cards": {"request": {"component": "FlashcardCreator"}},
    "quiz": {"request": {"component": "LibraryProblemCreator"}},
}


@dataclass
class AnswerSite:
    """What the site has.

    Attributes:
        answers: the pieces that are streamed to each slot.
        sessions: the stored session of a slot.
        head, attributes: what else the page has, and attributes of its root.
        policy: its Content-Security-Policy.
        asked: the paths of the requests.
        go_on: an answer waits at an empty piece until this is set.
    """

    url: str = ""
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sessions: Mapping[str, object] = field(default_factory=dict)
    head: str = ""
    attributes: str = 'lang="en"'
    policy: str = POLICY
    asked: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def page(self) -> str:
        slots = dict.fromkeys((*self.answers, *self.sessions))
        widgets = "".join(f'<openedx-ai-widget ui-slot-selector-id="{slot}"></openedx-ai-widget>' for slot in slots)
        script = '<script type="module" src="/static/openedx_ai_extensions/widget.js"></script>'
        view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
        return f"<!doctype html><html {self.attributes}>{view}<title>Answers</title>{self.head}{widgets}{script}</html>"


@contextmanager
def serve(site: AnswerSite) -> Iterator[AnswerSite]:
    class Handler(_Handler):
        pass

    Handler.site = site
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    site: AnswerSite

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.site.asked.append(path)
        folder = next((each for each in FOLDERS if path.startswith(each)), None)
        if path == "/":
            self._send(self.site.page().encode(), "text/html; charset=utf-8")
        elif folder and (found := FOLDERS[folder] / path.removeprefix(folder)).is_file():
            self._send(found.read_bytes(), TYPES.get(found.suffix, "text/plain"))
        elif path.endswith("/profile/"):
            self._send_json({"ui_components": FORMS[self._slot().partition(" ")[0]]})
        elif path.endswith("/limits/"):
            self._send_json({"limits": []})
        elif path.endswith("/token"):
            self._send_json({"csrfToken": "token"})
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        slot = self._slot()
        if slot in self.site.sessions:
            session = self.site.sessions[slot]
            idle = {"status": "idle"}
            self._send_json(idle if body["action"] == "get_run_status" else session)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for piece in self.site.answers[slot]:
                if not piece:
                    self.site.go_on.wait()
                self.wfile.write(f"event: delta\ndata: {json.dumps({'text': piece})}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.004)
            self.wfile.write(b'event: done\ndata: {"status": "completed"}\n\n')
        except ConnectionError:
            pass  # the page was closed

    def _slot(self) -> str:
        [context] = parse_qs(urlsplit(self.path).query)["context"]
        return str(json.loads(context)["uiSlotSelectorId"])

    def _send_json(self, value: object) -> None:
        self._send(json.dumps(value).encode(), "application/json")

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", self.site.policy)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        pass


def cut(text: str, seed: int) -> list[str]:
    """The text in pieces of random lengths."""
    random, pieces, start = Random(seed), [], 0
    while start < len(text):
        end = start + random.randint(1, 9)
        pieces.append(text[start:end])
        start = end
    return pieces


def read_answers(path: Path) -> list[tuple[str, str]]:
    """Pairs of an answer and of what it looks like."""
    blocks = path.read_text(encoding="utf-8").split("\n=====\n")
    return [tuple(part.strip("\n") for part in block.split("\n-----\n")) for block in blocks]  # type: ignore[misc]
