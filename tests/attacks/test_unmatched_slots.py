"""The list of slots without a workflow: nobody fills it with texts of their own."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.workflows import unmatched_slots
from tests.api.conftest import HERE, Api

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_list():
    unmatched_slots.forget()
    yield
    unmatched_slots.forget()


def listed() -> set[str]:
    return {entry.slot for entry in unmatched_slots.unmatched()}


@pytest.mark.parametrize(
    "context",
    [{"courseId": "course-v1:Not+There+1"}, HERE, {**HERE, "locationId": f"{HERE['locationId']}-not-there"}],
    ids=["no course", "a course of others", "no unit"],
)
def test_only_those_who_may_see_the_place_are_heard(stranger, context):
    Api(stranger).profile({**context, "uiSlotSelectorId": "made-up"})
    assert not listed()


def test_one_person_does_not_fill_it(learner, author):
    Api(author).profile({**HERE, "uiSlotSelectorId": "real"})
    for number in range(3 * unmatched_slots.MAX_PER_PERSON):
        Api(learner).profile({**HERE, "uiSlotSelectorId": f"made-up-{number}"})
    assert "real" in listed()
    assert len(listed()) == 1 + unmatched_slots.MAX_PER_PERSON
    Api(author).profile({**HERE, "uiSlotSelectorId": "another"})
    assert "another" in listed()
