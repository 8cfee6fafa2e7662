"""What would the model see? The page, for those who may ask, as those whom it is about see it."""

from __future__ import annotations

import pytest

from tests.conftest import COURSE_ID, UNIT_ID

pytestmark = pytest.mark.django_db

VIEW = "aimodelview"
HERE = {"location": UNIT_ID, "retrieval_mode": "unit"}


def text_of(page) -> str:
    return page.find("//pre[@aria-labelledby='aiext-text-title']")[0].text_content()


def test_the_text_and_what_is_left_out(admin, learner):
    page = admin.get(VIEW, **HERE, person="learner")
    assert "as learner sees it" in page.text
    whole = text_of(page)
    page = admin.get(VIEW, **HERE, person="learner", char_limit="60")
    assert len(text_of(page)) <= 60 < len(whole)
    assert "longer than allowed" in page.find("//table[contains(@class, 'aiext-left-out')]")[0].text_content()


@pytest.mark.parametrize("mode", ["unit", "sequence", "up_to_current_unit"])
def test_how_much(admin, author, mode):
    assert text_of(admin.get(VIEW, location=UNIT_ID, retrieval_mode=mode, person="author"))


def test_a_whole_course(admin, learner):
    page = admin.get(VIEW, course=COURSE_ID, retrieval_mode="unit", person="learner")
    assert text_of(page)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"retrieval_mode": "unit"}, "location", "Enter a course"),
        ({**HERE, "person": "stranger"}, "location", "This location does not exist, or stranger cannot see it."),
        ({**HERE, "char_limit": "0"}, "char_limit", "greater than or equal to 1"),
        ({**HERE, "retrieval_mode": "all"}, "retrieval_mode", "valid choice"),
        ({**HERE, "course": "course-v1:Other+X+1"}, "location", "does not belong to"),
    ],
)
def test_what_cannot_be_shown_is_said(admin, stranger, query, field, words):
    page = admin.get(VIEW, **query)
    assert words in page.errors(field)[0]
    assert not page.find("//pre")


def test_who_may_ask(staff_with, learner):
    clerk = staff_with("view_aiworkflowprofile")
    page = clerk.get(VIEW, **HERE, person="learner")
    assert "as clerk sees it" in page.text


def test_who_may_not_ask(staff_with, learner):
    assert staff_with("view_health").get(VIEW).status == 403
