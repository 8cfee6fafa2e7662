"""Made-up streams, cut anywhere: no fault of ours, no hang, no mixed answers, and no letter lost.

``PROVIDER_STREAMS=10000 pytest tests/providers/test_fuzz.py`` makes a long run of it.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openedx_ai_extensions.processors.llm import notice
from tests.api.conftest import Api
from tests.fakes.steps import Ending, Wire
from tests.providers.conftest import point_to
from tests.providers.shapes import USAGE

pytestmark = pytest.mark.django_db

STREAMS = int(os.environ.get("PROVIDER_STREAMS") or 150)
HANGS = 50  # seconds: far beyond what any of these takes, and below every limit of ours

# Nothing that is a tag of thinking, and no blank line at the start: these have tests of their own.
words = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="<>\r\x00")
    | st.sampled_from("😀🇪🇸é\u2028\n \\\"'{}[]"),
    max_size=12,
)
odd = (
    st.none() | st.booleans() | st.integers() | st.just([]) | st.just({}) | st.just("") | st.just([None]) | st.just(1.5)
)
counts = (
    st.none() | st.just(USAGE) | st.just({}) | st.fixed_dictionaries({"prompt_tokens": odd, "completion_tokens": odd})
)
meaningless = st.one_of(
    st.builds(lambda value: {"choices": value}, odd),
    st.builds(
        lambda value: {"choices": [{"index": 0, "delta": value}]}, st.none() | st.just({}) | st.just([]) | st.just("")
    ),
    st.builds(lambda value: {"choices": [{"index": 0, "delta": {"content": value}}]}, odd.filter(lambda v: v != "")),
    st.builds(lambda value: {"choices": [{"index": 0, "delta": {"tool_calls": value}}]}, odd),
    st.builds(lambda value: {"choices": [{"delta": {"role": value, "refusal": None}, "finish_reason": None}]}, odd),
    st.builds(lambda value: {"choices": [{"index": 1, "delta": {"content": value}}]}, words),
    st.builds(lambda value: {"model": value, "usage": None, "id": value}, odd),
    st.builds(lambda value: {"choices": [], "usage": value}, counts),
    st.just({"error": None}),
    st.just({}),
    st.just(None),
    st.just([]),
)
finishes = st.sampled_from(["stop", "length", "content_filter", "end_turn", "eos", "max_tokens", None])


@st.composite
def streams(draw: Any) -> tuple[tuple[bytes, ...], Ending, str, str | None, bool]:
    """A body in pieces, what follows it, its text, its finish reason, and whether it says that it is over."""
    said = draw(st.lists(words, max_size=6))
    text = "".join(said).lstrip()
    values: list[Any] = []
    for piece in _cut(draw, text):
        values += draw(st.lists(meaningless, max_size=2))
        values.append({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}], "model": "fake"})
    finish = draw(finishes)
    if finish is not None:
        values.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    values += draw(st.lists(meaningless, max_size=2))
    if draw(st.booleans()):
        values.append({"choices": [], "usage": USAGE})
    is_done = draw(st.booleans())
    line = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    space = draw(st.sampled_from([b" ", b""]))
    body = draw(st.sampled_from([b"", b"\xef\xbb\xbf", b": hello" + line + line]))
    for value in values:
        body += b"data:" + space + _encoded(value, is_ascii=draw(st.booleans())) + line + line
    if is_done:
        body += b"data:" + space + b"[DONE]" + line + line
    places = sorted(draw(st.lists(st.integers(0, len(body)), max_size=12)))
    pieces = tuple(body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True))
    is_over = is_done or finish is not None
    ending = draw(st.sampled_from([each for each in Ending if is_over or each is not Ending.LEFT_OPEN]))
    return pieces, ending, text, finish, is_done


def _encoded(value: Any, *, is_ascii: bool) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=is_ascii).encode()
    except UnicodeEncodeError:  # half of a character, which only an escape can say
        return json.dumps(value).encode()


def _cut(draw: Any, text: str) -> list[str]:
    """The text in pieces, at times in the middle of a character that takes two UTF-16 units."""
    units = text.encode("utf-16-le")
    places = sorted({2 * draw(st.integers(0, len(units) // 2)) for _number in range(draw(st.integers(0, 4)))})
    return [
        units[start:end].decode("utf-16-le", "surrogatepass")
        for start, end in zip([0, *places], [*places, len(units)], strict=True)
    ]


@pytest.fixture
def api(learner, provider, make_scope, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 0
    settings.AI_EXTENSIONS_LIMITS = []
    provider.left_open_seconds = 30
    point_to(provider, settings, "openai/gpt-fake")
    make_scope()
    return Api(learner)


@settings(
    max_examples=STREAMS, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(made_up=streams())
def test_made_up_streams(api, provider, made_up):
    pieces, ending, text, finish, is_done = made_up
    provider.always(Wire(pieces, ending=ending))
    started = time.monotonic()
    response = api.run("Why?")
    body = b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()
    assert time.monotonic() - started < HANGS
    is_over = finish is not None or is_done
    told = notice({"max_tokens": "length"}.get(str(finish), str(finish)))
    if not text.strip():
        assert response.status_code in {422, 500, 503}
        assert json.loads(body)["error"]["code"] in {"answer_declined", "answer_too_long", "service_unavailable"}
    elif is_over:
        assert body == text + (f"\n\n[{told}]" if told else "")
    else:
        assert body.startswith(text)
        marker = body.removeprefix(text)
        assert marker.startswith('||{"error_in_stream": true, ')
        assert marker.endswith("||")
        assert json.loads(marker[2:-2])["code"] == "streaming_failed"
