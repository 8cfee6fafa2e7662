from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.contrib.auth import get_user_model

from openedx_ai_extensions.demo import library, scripted_model
from openedx_ai_extensions.demo.providers import choose
from openedx_ai_extensions.demo.seed import seed
from tests.api.conftest import HERE, Api


@pytest.fixture
def scripted(settings, monkeypatch):
    """The script answers everything, without its pauses."""
    for name in ("PAUSE_SECONDS", "SHORT_PAUSE_SECONDS", "THINKING_SECONDS", "WORD_SECONDS"):
        monkeypatch.setattr(scripted_model, name, 0)
    with scripted_model.running() as url:
        settings.AI_EXTENSIONS = choose({"AI_EXTENSIONS_DEMO_SCRIPT_URL": url}).providers
        yield


@pytest.fixture
def shelf(settings, tmp_path):
    """The demo's library, empty."""
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {
        library.LIBRARY_ID: {"path": tmp_path / "library", "editors": ["author"]}
    }


@pytest.fixture
def ask(scripted, shelf, db):
    """Run an action in a slot of the seeded demo as somebody, on the first unit or another one."""
    seed()

    def ask(name, slot, action, user_input=None, unit="unit_sunlight"):
        person = get_user_model().objects.get(username=name)
        here = {**HERE, "uiSlotSelectorId": slot, "locationId": HERE["locationId"].replace("unit_sunlight", unit)}
        return Api(person).run(user_input, action=action, context=here)

    return ask


def in_background(command: Sequence[str]) -> list[str]:
    """This command as ``nohup make test &`` in a script starts it: it inherits SIGINT as a signal to be ignored."""
    return ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command]
