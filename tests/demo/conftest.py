from __future__ import annotations

from collections.abc import Sequence

import pytest

from openedx_ai_extensions.demo import library, scripted_model


@pytest.fixture
def scripted(settings, monkeypatch):
    """The script answers for the provider of structured answers, without its pauses."""
    for name in ("PAUSE_SECONDS", "SHORT_PAUSE_SECONDS"):
        monkeypatch.setattr(scripted_model, name, 0)
    with scripted_model.running() as url:
        settings.AI_EXTENSIONS = {
            "default": {"MODEL": "openai/none"},
            "structured": {"MODEL": "openai/scripted", "API_KEY": "none", "API_BASE": url},
        }
        yield


@pytest.fixture
def shelf(settings, tmp_path):
    """The demo's library, empty."""
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {
        library.LIBRARY_ID: {"path": tmp_path / "library", "editors": ["author"]}
    }


def in_background(command: Sequence[str]) -> list[str]:
    """This command as ``nohup make test &`` in a script starts it: it inherits SIGINT as a signal to be ignored."""
    return ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command]
