"""How much of the code one request passes: what a stranger has to read to understand it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import openedx_ai_extensions
from tests.api.conftest import text_of

pytestmark = pytest.mark.django_db(transaction=True)

PACKAGE = Path(openedx_ai_extensions.__file__).parent
MOST_MODULES = 45  # to be lowered, never raised
# Keeping the answer adds one module, with the sessions.
NOT_KEPT = {"actuator_config": {"UIComponents": {"response": {"config": {"keepAnswer": False}}}}}


@contextmanager
def traced() -> Iterator[set[str]]:
    """Modules of the package whose functions run, in this thread and in those that it starts."""
    modules: set[str] = set()

    def trace(frame, _event, _argument):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(PACKAGE) and frame.f_code.co_name != "<module>":
            modules.add(".".join(file.relative_to(PACKAGE).with_suffix("").parts))

    before = sys.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield modules
    finally:
        sys.settrace(before)
        threading.settrace(before)


def test_a_streamed_answer_passes_few_modules(as_learner, make_scope, provider):
    make_scope(patch=NOT_KEPT)
    as_learner.run()  # what a process does once
    provider.reply("Light.")
    with traced() as modules:
        assert text_of(as_learner.run()) == "Light."
    assert 20 < len(modules) <= MOST_MODULES, "\n".join(sorted(modules))
