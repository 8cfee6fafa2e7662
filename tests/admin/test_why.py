"""The page "Why here?"."""

import pytest

from openedx_ai_extensions.models import AIPause, AIWorkflowScope
from openedx_ai_extensions.workflows import unmatched_slots
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

MODEL = "aiworkflowscope"
HERE = {"slot": SLOT, "service": "lms", "course": COURSE_ID, "location": UNIT_ID}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    unmatched_slots.forget()
    yield
    unmatched_slots.forget()


def verdict(page):
    (found,) = page.find("//*[contains(@class, 'aiext-verdict')]")
    return found.text_content()


def test_the_winner_its_profile_the_person_and_the_others(admin, make_scope, learner, provider):
    make_scope(slug="loser", course_id=None)
    make_scope()
    page = admin.get(MODEL, "why", **HERE, person="learner")
    assert verdict(page) == "The widget is visible and answers."
    assert [term.text_content() for term in page.find("//dl/dt")] == [
        "Scope", "Profile", "May the person see this location?", "Is the workflow for this person?",
        "Switches, pauses and exams", "Consent", "Limits",
    ]  # fmt: skip
    (row,) = page.find("//section[@aria-labelledby='aiext-others']//tbody/tr")
    assert "less specific" in row.text_content()


def test_what_stops_it(admin, make_scope):
    make_scope()
    AIPause.objects.create(message="Back <soon>")
    page = admin.get(MODEL, "why", **HERE)
    assert "rules do not allow AI here" in verdict(page)
    assert "Back &lt;soon&gt;" in page.source


def test_a_broken_profile_says_why(admin, broken_profile):
    page = admin.get(MODEL, "why", **{**HERE, "slot": "broken-slot"})
    assert "its profile is broken" in verdict(page)
    assert "Error:" in page.find("//dl")[0].text_content()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slot", ""),
        ("service", "both"),
        ("course", "junk"),
        ("location", "junk"),
        ("location", "block-v1:Other+X+1+type@vertical+block@u"),
        ("person", "nobody"),
    ],
)
def test_a_question_that_makes_no_sense(admin, make_scope, field, value):
    page = admin.get(MODEL, "why", **{**HERE, field: value})
    assert page.status == 200
    assert len(page.errors(field)) == 1
    assert page.find("//dl") == []


def test_every_input_has_a_label(admin, db):
    page = admin.get(MODEL, "why")
    for name in ("slot", "service", "course", "location", "person"):
        assert page.find(f"//label[@for='{page.input(name).get('id')}']"), name


def test_what_was_asked_for_in_vain_leads_to_a_scope(admin, make_scope):
    unmatched_slots.record("new-slot", "lms", COURSE_ID, 1, lambda: True)
    page = admin.get(MODEL, "why")
    (link,) = page.find("//a[starts-with(text(), 'Add a scope')]/@href")
    form = admin.client.get(link).content.decode()
    assert 'value="new-slot"' in form
    assert COURSE_ID in form
    assert "new-slot" in admin.get(MODEL, "add").find("//datalist/option/@value")


def test_scopes_that_cannot_win(admin, make_scope):
    older = make_scope()
    newer = make_scope(slug="newer")
    (row,) = admin.get(MODEL, "why").find("//section[@aria-labelledby='aiext-findings']//tbody/tr")
    assert f"#{older.pk}" in row.text_content()
    assert f"#{newer.pk}" in row.text_content()


def test_the_list_of_scopes_leads_here(admin, db):
    assert "Why here?" in [link.text_content() for link in admin.get(MODEL).find("//ul[@class='object-tools']//a")]


@pytest.mark.parametrize("page", ["why", "locations", "transfer", "transfer_export"])
@pytest.mark.parametrize(("codenames", "status"), [((), 403), (("view_aiworkflowscope",), 200)])
def test_whoever_may_see_scopes_may_look(staff_with, page, codenames, status):
    assert staff_with(*codenames).get(MODEL, page).status == status


def test_looking_changes_nothing(admin, make_scope):
    make_scope()
    before = list(AIWorkflowScope.objects.values())
    admin.get(MODEL, "why", **HERE)
    assert list(AIWorkflowScope.objects.values()) == before
