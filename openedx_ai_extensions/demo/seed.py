"""Creates the demo's people, profiles and scopes, unless they exist."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model

from openedx_ai_extensions.demo.courses import course_key
from openedx_ai_extensions.demo.providers import LOCAL_CHAR_LIMIT, LOCAL_PROMPTS, STRUCTURED
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

DEMO_COURSE_ID = "course-v1:OpenedX+AIX+demo"
PEOPLE = ("learner", "author", "admin", "stranger")
# (slug, template, slot, location pattern in the demo course)
WORKFLOWS = (
    ("summary", "base/summary.json5", "unit-summary", None),
    ("explain-simply", "base/explain_like_five.json5", "unit-simple", None),
    ("ask", "base/ask.json5", "unit-ask", None),
    ("chat", "base/chat.json5", "unit-chat", None),
    ("flashcards", "base/flashcards.json5", "unit-flashcards", None),
    ("quiz", "base/quiz.json5", "unit-quiz", None),
    # More specific than the summary, so this workflow answers on its unit.
    ("key-terms", "base/custom_prompt.json5", "unit-summary", "block@unit_sugar$"),
)
# The processors of workflows whose answers are structured data.
DATA_PROCESSORS = {"flashcards": "LLMProcessor", "quiz": "EducatorAssistantProcessor"}
# Their buttons stand side by side on the demo's page, without the template's text beside them.
BUTTONS = frozenset({"summary", "explain-simply"})


def seed(*, small_model: bool = False) -> None:
    """Create what is missing. A course gets scopes when it is served for the first time.

    Args:
        small_model: send little text, for a slow model.
    """
    people = get_user_model().objects
    for name in PEOPLE:
        if not people.filter(username=name).exists():
            create = people.create_superuser if name == "admin" else people.create_user
            create(name, f"{name}@example.com", name)
    course_id = str(course_key())
    is_new = not AIWorkflowScope.objects.filter(course_id=course_id).exists()
    for slug, template, slot, pattern in WORKFLOWS:
        patch = _patch(slug, template, small_model=small_model)
        profile, created = AIWorkflowProfile.objects.get_or_create(
            slug=slug,
            defaults={"base_filepath": template, "content_patch": json.dumps(patch) if patch else ""},
        )
        if (created or is_new) and (pattern is None or course_id == DEMO_COURSE_ID):
            AIWorkflowScope.objects.create(
                profile=profile, course_id=course_id, ui_slot_selector_id=slot, location_regex=pattern
            )


def _patch(slug: str, template: str, *, small_model: bool) -> dict[str, Any]:
    """The differences from the template."""
    if slug in DATA_PROCESSORS:
        return {"processor_config": {DATA_PROCESSORS[slug]: {"provider": STRUCTURED}}}
    patch: dict[str, Any] = {}
    if slug in BUTTONS:
        patch["actuator_config"] = {"UIComponents": {"request": {"config": {"customMessage": ""}}}}
    if small_model and template.startswith("base/"):
        llm: dict[str, Any] = {"prompt": LOCAL_PROMPTS[slug]} if slug in LOCAL_PROMPTS else {}
        if slug == "chat":
            llm["enabled_tools"] = []  # it cannot call tools
        patch["processor_config"] = {"OpenEdXProcessor": {"char_limit": LOCAL_CHAR_LIMIT}, "LLMProcessor": llm}
    return patch
