"""Many answers in a row from one provider: none waits for another, none gets another's bytes."""

from __future__ import annotations

import random
import time

from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.processors.llm.provider import gateway
from openedx_ai_extensions.processors.llm.provider.types import Request
from tests.fakes.steps import Ending, Wire
from tests.providers.shapes import DONE, chunk, text, usage

REQUESTS = 200
HANGS = 50  # seconds: longer than any of these takes, and shorter than the provider leaves a connection open
ENDS = {
    "whole": ((chunk(finish="stop"), usage(), DONE), Ending.PROPER),
    "no [DONE]": ((chunk(finish="stop"), usage()), Ending.PROPER),
    "no [DONE], left open": ((chunk(finish="stop"), usage()), Ending.LEFT_OPEN),
    "no counts, left open": ((chunk(finish="stop"),), Ending.LEFT_OPEN),
    "[DONE], left open": ((chunk(finish="stop"), usage(), DONE), Ending.LEFT_OPEN),
    "[DONE], broken": ((chunk(finish="stop"), usage(), DONE), Ending.CUT),
    "more after [DONE]": ((chunk(finish="stop"), usage(), DONE, text("Never shown.")), Ending.PROPER),
    "stops": ((), Ending.PROPER),
    "breaks": ((), Ending.CUT),
}


def test_two_hundred_answers_with_every_ending(provider, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    provider.left_open_seconds = 60
    chance = random.Random(7)
    request = Request("default", [{"role": "user", "content": "Why?"}])
    names = [name for name in ENDS for _number in range(REQUESTS // len(ENDS) + 1)][:REQUESTS]
    chance.shuffle(names)
    for number, name in enumerate(names):
        after, ending = ENDS[name]
        said = [f"answer {number}, piece {piece}; " for piece in range(3)]
        provider.then(Wire((*map(text, said), *after), ending=ending))
        started = time.monotonic()
        stream = gateway.stream(request)
        heard = b""
        try:
            for piece in stream:
                heard += piece
        except AIExtensionsError:
            assert name in {"stops", "breaks"}
        assert heard.decode() == "".join(said)
        assert time.monotonic() - started < HANGS, name
