"""Staff review feedback: operators in the admin, course staff on the page of their course."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from openedx_ai_extensions.models import AnswerFeedback
from tests.admin.pages import Admin, Page
from tests.author.conftest import Pages, as_author, course_folders, courses, in_main, words
from tests.conftest import COURSE_ID
from tests.feedback.conftest import Rater, options
from tests.rights.course import MAIN, OTHER, key

__all__ = ["as_author", "course_folders", "courses", "in_main"]  # fixtures

MODEL = "answerfeedback"
pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(db):
    """Reviews feedback, and may not read transcripts."""
    user = get_user_model().objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith=MODEL))
    return user


def may_read_transcripts(user) -> None:
    user.user_permissions.add(Permission.objects.get(codename="view_transcript"))


def some(user, number: int, **fields) -> AnswerFeedback:
    now = timezone.now()
    said = {"run_id": f"r{number}", "rating": "down", "changed_at": now, "answered_at": now, "course_id": COURSE_ID}
    return AnswerFeedback.objects.create(user=user, **{**said, **fields})


def rows_of(page, xpath: str = "//section") -> list[str]:
    """The rows of tables of numbers, such as ``m1 0 1 1 1``."""
    return [" ".join(cell.text_content() for cell in row) for row in page.find(f"{xpath}//tbody/tr")]


def test_the_queue_shows_what_is_open(clerk, learner):
    some(learner, 1, text="Wrong.", model="m1", profile_slug="tutor", profile_version=3, reported=True)
    some(learner, 2, state="closed", rating="up", model="m2", profile_slug="summary", profile_version=1)
    admin = Admin(clerk)
    page = admin.get(MODEL)
    assert page.column("profile_slug") == ["tutor"]
    assert rows_of(page) == ["tutor / 3 0 1 1 1", "m1 0 1 1 1", f"{COURSE_ID} 0 1 1 1"]
    assert admin.get(MODEL, queue="all").column("profile_slug") == ["summary", "tutor"]
    assert rows_of(admin.get(MODEL, queue="all"), "//section[@aria-labelledby='by-model']") == [
        "m1 0 1 1 1",
        "m2 1 0 0 0",
    ]
    assert admin.get(MODEL, q="r2").column("profile_slug") == ["summary"]
    assert admin.get(MODEL, q="learn").column("profile_slug") == ["summary", "tutor"]
    for query in ("rating__exact=up", "reported__exact=0", "course_id=course-v1:No+Such+r1", "model=m2"):
        page = Page(admin.client.get(f"/admin/openedx_ai_extensions/{MODEL}/?queue=all&{query}"))
        assert "tutor" not in page.column("profile_slug"), query


def test_a_note_reaches_its_person_and_only_note_and_state_can_change(page, clerk, learner):
    run_id = page.ask()
    page.rate(run_id, rating="down", text="Wrong.")
    row = AnswerFeedback.objects.get()
    admin = Admin(clerk)
    data = {"state": "open", "note": " Corrected.\r\nThank you! ", "text": "Changed", "rating": "up", "run_id": "x"}
    admin.post(MODEL, "change", data, row.pk)
    row.refresh_from_db()
    assert (row.state, row.note, row.noted_by, row.note_is_unread) == (
        "answered",
        "Corrected.\nThank you!",
        clerk,
        True,
    )
    assert (row.text, row.rating, row.run_id) == ("Wrong.", "down", run_id)
    assert page.profile().json()["feedback_notes"][0]["note"] == "Corrected.\nThank you!"
    page.rate(run_id, note_read=True)
    admin.post(MODEL, "change", {"state": "closed", "note": row.note}, row.pk)
    row.refresh_from_db()
    assert (row.state, row.note_is_unread) == ("closed", False)
    assert "Corrected" not in str(list(LogEntry.objects.values()))


def test_the_admin_adds_and_deletes_nothing(admin_user, learner):
    row = some(learner, 1)
    admin = Admin(admin_user)
    assert admin.get(MODEL, "add").status == 403
    assert admin.post(MODEL, "delete", {"post": "yes"}, row.pk).status == 403
    assert AnswerFeedback.objects.exists()


@pytest.mark.parametrize("template", ["base/chat.json5", "base/summary.json5"], ids=["conversation", "kept answer"])
def test_the_turn_is_shown_only_to_readers_of_transcripts_and_each_view_is_recorded(
    provider, make_scope, learner, clerk, template
):
    make_scope(base_filepath=template, slug="here")
    page = Rater(learner)
    provider.reply("Leaves are blue.")
    run_id = page.ask("Which colour?")
    if template == "base/chat.json5":
        provider.reply("Another answer.")
        page.ask("Another question?")
    page.rate(run_id, rating="down")
    row = AnswerFeedback.objects.get()
    admin = Admin(clerk)
    shown = admin.get(MODEL, "change", row.pk)
    assert "Leaves are blue." not in shown.source
    assert "Which colour?" not in shown.source
    assert "you need the permission" in shown.text
    assert not LogEntry.objects.exists()
    may_read_transcripts(clerk)
    shown = admin.get(MODEL, "change", row.pk)
    turn = words(shown, "//li[contains(@class, 'aiext-message')]//div")
    assert turn == ["Which colour?", "Leaves are blue."]
    (entry,) = LogEntry.objects.all()
    assert (entry.user, entry.content_type.model) == (clerk, "aiworkflowsession")
    assert "transcript view" in entry.get_change_message()


def test_a_turn_that_is_gone_is_said_to_be_gone(page, clerk):
    run_id = page.ask()
    page.rate(run_id, rating="down")
    page.ask()
    may_read_transcripts(clerk)
    shown = Admin(clerk).get(MODEL, "change", AnswerFeedback.objects.get().pk)
    assert "not any more" in shown.text
    assert not LogEntry.objects.exists()


def rated_in(course, user, make_scope, slug, **said) -> Rater:
    """A person who has rated an answer in a course."""
    make_scope(slug=slug, course_id=course, slot=slug, patch=options(keepAnswer=True))
    person = Rater(user)
    context = {"courseId": str(course), "locationId": str(key("vertical/open", course)), "uiSlotSelectorId": slug}
    assert person.rate(person.ask("Which colour?", context=context), context=context, **said).status_code == 200
    return person


@pytest.fixture
def both(courses, provider, make_scope, learner, stranger):
    """Feedback in two courses."""
    provider.reply("Leaves are blue.")
    rated_in(MAIN, learner, make_scope, "summary", rating="down", reason="wrong", text="They are <b>green</b>.")
    rated_in(OTHER, stranger, make_scope, "other", rating="down", text="Secret of the other course.", report=True)
    return AnswerFeedback.objects.get(course_id=MAIN), AnswerFeedback.objects.get(course_id=OTHER)


def test_course_staff_see_the_feedback_of_their_course_and_no_name(as_author, both):
    page = as_author.get("feedback")
    assert words(page, "//article//h2") == ["Not helpful: It is wrong"]
    assert words(page, "//article//div[@class='words']") == ["They are <b>green</b>."]
    assert rows_of(page, "") == ["summary, version 1 0 1 0 1", "openai/gpt-fake 0 1 0 1", "Open 0 1 0 1"]
    for shown in (page, as_author.get("reply", pk=both[0].pk)):
        assert "learner@" not in shown.source
        assert ">learner<" not in shown.source
        assert "Leaves are blue." not in shown.source
        assert "other course" not in shown.source


def test_course_staff_reach_no_other_course(author, both, people_of_courses):
    mine, theirs = both
    for user, course, row, status in (
        (author, MAIN, mine, 200),
        (author, MAIN, theirs, 404),
        (author, OTHER, theirs, 404),
        (people_of_courses["other_author"], MAIN, mine, 404),
        (people_of_courses["learner"], MAIN, mine, 404),
    ):
        pages = Pages(user, course)
        assert pages.client.get(pages.url("reply", pk=row.pk)).status_code == status
        data = {"state": "closed", "note": "Mine now."}
        assert pages.client.post(pages.url("reply", pk=row.pk), data).status_code == (302 if status == 200 else 404)
    theirs.refresh_from_db()
    assert (theirs.state, theirs.note) == ("open", "")


@pytest.fixture
def people_of_courses(learner):
    other = get_user_model().objects.create_user("other_author", "other@example.com", "other_author")
    return {"learner": learner, "other_author": other}


def test_course_staff_reply(as_author, author, learner, both):
    row = both[0]
    page = as_author.post("reply", {"state": "open", "note": "Thank you!"}, pk=row.pk)
    assert words(page, "//*[@role='status']") == ["Saved."]
    assert "There is no feedback in this state." in page.text
    assert words(as_author.get("feedback", {"state": "answered"}), "//article//h2") == ["Not helpful: It is wrong"]
    row.refresh_from_db()
    assert (row.state, row.note, row.noted_by, row.note_is_unread) == ("answered", "Thank you!", author, True)
    assert as_author.post("reply", {"state": "gone", "note": ""}, pk=row.pk).status == 400
    assert as_author.post("reply", {"state": "open", "note": "x" * 2001}, pk=row.pk).status == 400
    assert as_author.get("reply", pk=row.pk).value("note") == "Thank you!"


def test_course_staff_read_the_turn_if_they_may_read_transcripts(as_author, author, both):
    may_read_transcripts(author)
    page = as_author.get("reply", pk=both[0].pk)
    assert words(page, "//div[@class='words']") == ["They are <b>green</b>.", "Which colour?", "Leaves are blue."]
    assert LogEntry.objects.get().user == author


def test_a_reply_to_what_was_withdrawn_meanwhile_is_dropped(as_author, learner, both):
    assert Rater(learner).rate(both[0].run_id).status_code == 200
    assert as_author.post("reply", {"state": "closed", "note": "Late."}, pk=both[0].pk).status == 404


def test_a_long_queue_has_pages(as_author, courses, learner):
    for number in range(30):
        some(learner, number, course_id=MAIN, text=f"Text {number}")
    assert len(as_author.get("feedback").find("//article")) == 25
    assert len(as_author.get("feedback", {"page": 2}).find("//article")) == 5
    assert len(as_author.get("feedback", {"page": "rubbish", "state": "rubbish"}).find("//article")) == 25
