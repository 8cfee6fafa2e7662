"""Patterns of locations whose groups are nested deep: refused when they are saved, and no fault where they are used."""

from __future__ import annotations

import sys

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from openedx_ai_extensions.core.cache import bump_version
from openedx_ai_extensions.models import AIPause, AIWorkflowScope
from openedx_ai_extensions.workflows.resolution import NonMatchReason, mismatch, validate_pattern
from tests.api.conftest import Api
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

pytestmark = pytest.mark.django_db
DEEP = {
    "groups": "(?:" * 180 + "a" + ")" * 180,
    "groups with choices": "(a|" * 60 + "b" + ")" * 60,
    "looking ahead": "(?=" * 51 + "a" + ")" * 51,
    "sets": "(?V1)" + "[" * 60 + "a" + "]" * 60,
    "groups behind a set of brackets": r"[)(\]]" + "(" * 51 + "a" + ")" * 51,
}
FLAT = ["(?:" * 50 + "a" + ")" * 50, "[(]" * 60, r"\(" * 60, "[[]" * 60, "(a)" * 200, r"[\]((((]" * 60, "[(" * 30 + "]"]


@pytest.mark.parametrize("pattern", DEEP.values(), ids=DEEP)
def test_one_is_refused_when_it_is_saved(make_scope, pattern):
    scope = make_scope()
    scope.location_regex = pattern
    for save in (
        scope.save,
        lambda: AIWorkflowScope.objects.update(location_regex=pattern),
        AIPause(location_regex=pattern).save,
    ):
        with pytest.raises(ValidationError, match="nested more than 50 deep"):
            save()


@pytest.mark.parametrize("pattern", FLAT)
def test_what_only_looks_deep_is_taken(pattern):
    validate_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(?:" * 180 + "a" + ")" * 180, "(?:" * 300 + "a" + ")" * 300])
def test_one_that_was_saved_earlier_matches_nothing(make_scope, learner, pattern):
    make_scope()
    AIPause.objects.create(location_regex="never")
    for model in (AIWorkflowScope, AIPause):
        QuerySet(model).update(location_regex=pattern)  # as an earlier version did, that did not check it
    bump_version()
    response = Api(learner).profile({"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": SLOT})
    assert response.status_code == 200


def test_how_deep_the_caller_is_makes_no_fault():
    def deeper(levels: int) -> NonMatchReason | None:
        return deeper(levels - 1) if levels else mismatch("(?:" * 49 + "deeper" + ")" * 49, UNIT_ID)

    frame, depth = sys._getframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    assert deeper(sys.getrecursionlimit() - depth - 60) in {NonMatchReason.NO_MATCH, NonMatchReason.INVALID}
