"""Creates the demo's people, profiles and scopes, unless they exist."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model

from openedx_ai_extensions.demo.providers import LOCAL_CHAR_LIMIT, LOCAL_PROMPTS, STRUCTURED
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

COURSE_ID = "course-v1:OpenedX+AIX+demo"

PEOPLE = ("learner", "author", "admin", "stranger")
# (slug, template, slot, location pattern)
WORKFLOWS = (
    ("summary", "base/summary.json5", "unit-summary", None),
    ("explain-simply", "base/explain_like_five.json5", "unit-simple", None),
    ("ask", "base/ask.json5", "unit-ask", None),
    ("chat", "base/chat.json5", "unit-chat", None),
    ("flashcards", "base/flashcards.json5", "unit-flashcards", None),
    ("quiz", "base/quiz.json5", "unit-quiz", None),
    ("mock-stream", "examples/mock_stream.json5", "unit-mock", None),
    # More specific than the summary, so this workflow answers on its unit.
    ("key-terms", "base/custom_prompt.json5", "unit-summary", "block@unit_sugar$"),
)
# The processors of workflows whose answers are structured data.
DATA_PROCESSORS = {"flashcards": "LLMProcessor", "quiz": "EducatorAssistantProcessor"}


def seed(*, small_model: bool = False) -> None:
    """Create what is missing.

    Args:
        small_model: send little text, for a slow model.
    """
    people = get_user_model().objects
    for name in PEOPLE:
        if not people.filter(username=name).exists():
            create = people.create_superuser if name == "admin" else people.create_user
            create(name, f"{name}@example.com", name)
    for slug, template, slot, pattern in WORKFLOWS:
        patch = _patch(slug, template, small_model=small_model)
        profile, created = AIWorkflowProfile.objects.get_or_create(
            slug=slug,
            defaults={"base_filepath": template, "content_patch": json.dumps(patch) if patch else ""},
        )
        if created:
            AIWorkflowScope.objects.create(
                profile=profile, course_id=COURSE_ID, ui_slot_selector_id=slot, location_regex=pattern
            )


def _patch(slug: str, template: str, *, small_model: bool) -> dict[str, Any]:
    """The differences from the template."""
    if slug in DATA_PROCESSORS:
        return {"processor_config": {DATA_PROCESSORS[slug]: {"provider": STRUCTURED}}}
    if not small_model or not template.startswith("base/"):
        return {}
    llm: dict[str, Any] = {"prompt": LOCAL_PROMPTS[slug]} if slug in LOCAL_PROMPTS else {}
    if slug == "chat":
        llm["enabled_tools"] = []  # it cannot call tools
    return {"processor_config": {"OpenEdXProcessor": {"char_limit": LOCAL_CHAR_LIMIT}, "LLMProcessor": llm}}
