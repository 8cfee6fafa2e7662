"""What the published React package showed before an upgrade, it shows after it."""

from __future__ import annotations

import json

import pytest

from tests.react.client import BOX, CARDS, CHAT, QUIZ, ReactPackage
from tests.upgrade.conftest import upgrade


def patch(names, asked, answered):
    request, response = names
    components = {
        "request": {"component": request, "config": asked},
        "response": {"component": response, "config": answered},
    }
    return json.dumps({"actuator_config": {"UIComponents": components}})


@pytest.mark.parametrize("is_patched", [False, True], ids=["as the template says", "as the profile says"])
@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("base/summary.json", BOX),
        ("base/chat.json", CHAT),
        ("base/flashcards.json", CARDS),
        ("base/library_questions_assistant.json", QUIZ),
        ("base/library_questions_creator.json", QUIZ),
        ("examples/mocked_response.json", BOX),
        ("experimental/chat_functions.json", CHAT),
    ],
)
def test_components_stay_what_they_were(old_site, author, template, names, is_patched):
    site = old_site()
    asked, answered = {"customMessage": "Mine"}, {"customMessage": "Mine too"}
    site.scope(site.profile("theirs", template, patch(names, asked, answered) if is_patched else None),
               ui_slot_selector_id="slot")  # fmt: skip
    upgrade("--apply")
    mounted = ReactPackage(author, uiSlotSelectorId="slot").mount()
    assert mounted.names == names
    if is_patched:
        assert (mounted.request["customMessage"], mounted.response["customMessage"]) == ("Mine", "Mine too")
