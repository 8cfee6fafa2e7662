"""A person rates and reports answers through ``feedback/``."""

from __future__ import annotations

import json
import logging

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowRun, AnswerFeedback
from openedx_ai_extensions.runtime.retirement import retire_user
from tests.api.conftest import HERE, Api, error_of
from tests.conftest import COURSE_ID, UNIT_ID
from tests.feedback.conftest import JSON, SSE, WHOLE, Rater, options

OFF = options(feedback=None)


def test_a_rating_says_who_where_and_what_was_rated(page, learner):
    run_id = page.ask()
    response = page.rate(run_id, rating="down", reason="wrong", text=" Leaves are green. ", report=True)
    assert response.status_code == 200
    said = {"run_id": run_id, "rating": "down", "reason": "wrong", "text": "Leaves are green.", "reported": True}
    answer = response.json()
    assert answer.pop("timestamp")
    assert answer == {**said, "state": "open", "note": ""}
    row = AnswerFeedback.objects.get()
    assert {name: getattr(row, name) for name in said} == said
    assert (row.user, str(row.course_id), str(row.location_id)) == (learner, COURSE_ID, UNIT_ID)
    assert (row.profile_slug, row.profile_version, row.provider, row.model) == (
        "summary", 1, "default", "openai/gpt-fake",
    )  # fmt: skip


@pytest.mark.parametrize("patch", [{}, WHOLE], ids=["streamed", "whole"])
def test_an_answer_names_its_run(provider, make_scope, learner, patch):
    make_scope(patch=patch)
    assert Rater(learner).ask() == AIWorkflowRun.objects.get().run_id


@pytest.mark.parametrize(
    ("patch", "headers"),
    [
        pytest.param({}, JSON, id="to a client that wants JSON"),
        pytest.param({**WHOLE, **OFF}, SSE, id="without feedback"),
    ],
)
def test_a_whole_answer_has_nothing_new(provider, make_scope, learner, patch, headers):
    make_scope(patch=patch)
    assert set(Api(learner).run(headers=headers).json()) == {"response", "status"}


@pytest.mark.parametrize("patch", [{}, WHOLE], ids=["streamed", "whole"])
def test_a_repeated_request_names_the_run_that_was_paid(provider, make_scope, learner, patch):
    make_scope(patch=patch)
    page = Rater(learner)
    assert page.ask(request_id="one") == page.ask(request_id="one") == AIWorkflowRun.objects.get().run_id


def test_an_answer_from_the_response_cache_can_be_rated(provider, make_scope, learner, settings):
    settings.AI_EXTENSIONS_CACHE = {"ENABLED": True}
    make_scope(patch={"processor_config": {"LLMProcessor": {"cache": True}}})
    page = Rater(learner)
    run_ids = [page.ask(), page.ask()]
    assert [page.rate(run_id, rating="up").status_code for run_id in run_ids] == [200, 200]
    assert AnswerFeedback.objects.count() == 2


def test_what_a_person_says_later_replaces_what_they_said_before(page):
    run_id = page.ask()
    page.rate(run_id, rating="down", reason="unclear", text="Why?")
    assert page.rate(run_id, rating="up").json()["text"] == ""
    row = AnswerFeedback.objects.get()
    assert (row.rating, row.reason, row.text, row.reported) == ("up", "", "", False)
    assert page.rate(run_id).status_code == 200
    assert not AnswerFeedback.objects.exists()
    assert page.rate(run_id).status_code == 200


@pytest.mark.parametrize(
    ("said", "state"),
    [
        pytest.param({"rating": "up"}, "closed", id="praise needs no answer"),
        pytest.param({"rating": "up", "text": "But add an example."}, "open", id="a wish does"),
        pytest.param({"rating": "down"}, "open", id="so does a complaint"),
        pytest.param({"rating": "up", "report": True}, "open", id="and a report"),
    ],
)
def test_what_needs_an_answer_is_open(page, said, state):
    run_id = page.ask()
    assert page.rate(run_id, **said).json()["state"] == state


def test_only_a_change_opens_it_again(page):
    run_id = page.ask()
    page.rate(run_id, rating="down")
    AnswerFeedback.objects.update(state="answered", note="Corrected.")
    assert page.rate(run_id, rating="down").json()["state"] == "answered"
    changed = page.rate(run_id, rating="down", text="Still wrong.").json()
    assert (changed["state"], changed["note"]) == ("open", "Corrected.")


def test_the_version_is_the_one_that_answered(page):
    run_id = page.ask()
    profile = AIWorkflowProfile.objects.get()
    profile.content_patch = json.dumps(WHOLE)
    profile.save()
    page.rate(run_id, rating="up")
    page.rate(page.ask(), rating="up")
    assert list(AnswerFeedback.objects.order_by("pk").values_list("profile_version", flat=True)) == [1, 2]


def test_nobody_rates_or_changes_what_another_person_got(page, author):
    run_id = page.ask()
    page.rate(run_id, rating="down", text="Mine.")
    AnswerFeedback.objects.update(note="For the learner.", note_is_unread=True)
    other = Rater(author)
    assert error_of(other.rate(run_id, rating="up")) == (404, "answer_not_found")
    assert error_of(other.rate(run_id, note_read=True)) == (404, "answer_not_found")
    assert error_of(other.rate("no such run", rating="up")) == (404, "answer_not_found")
    row = AnswerFeedback.objects.get()
    assert (row.rating, row.text, row.note_is_unread) == ("down", "Mine.", True)
    assert b"For the learner" not in other.profile().content


def test_without_a_login(page):
    assert Rater().rate(page.ask(), rating="up").status_code in (401, 403)


@pytest.mark.parametrize(
    "patch", [OFF, options(feedback=False), options(feedback="yes")], ids=["not said", "switched off", "nonsense"]
)
def test_a_profile_that_does_not_ask_gets_none(provider, make_scope, learner, patch):
    scope = make_scope()
    page = Rater(learner)
    run_id = page.ask()
    AIWorkflowProfile.objects.filter(pk=scope.profile_id).update(content_patch=json.dumps(patch))
    assert error_of(page.rate(run_id, rating="up")) == (403, "permission_denied")
    assert not AnswerFeedback.objects.exists()


def test_a_refused_run_has_no_answer_to_rate(page, settings):
    run_id = page.ask()
    AIWorkflowRun.objects.update(outcome="refused")
    assert error_of(page.rate(run_id, rating="up")) == (404, "answer_not_found")


@pytest.mark.parametrize(
    ("run_id", "said"),
    [
        (None, {}),
        (7, {}),
        ("x" * 65, {}),
        ("run", {"rating": "five stars"}),
        ("run", {"reason": "boring"}),
        ("run", {"text": "x" * 2001}),
        ("run", {"text": 7}),
        ("run", {"text": "\0"}),
        ("r\0n", {}),
        ("run", {"report": "yes"}),
        ("run", {"note_read": 1}),
    ],
)
def test_a_wrong_field_is_named(page, run_id, said):
    response = page.rate(run_id, **said)
    assert error_of(response) == (400, "validation_error")
    assert next(iter(said), "run_id") in str(response.json()["error"]["message"])


def test_the_longest_text_is_kept_and_never_logged(page, caplog):
    caplog.set_level(logging.DEBUG)
    run_id, text = page.ask(), "ü" * 1999 + "x"
    assert page.rate(run_id, text=text).json()["text"] == text
    AnswerFeedback.objects.update(note="A private note")
    page.profile()
    assert "üü" not in caplog.text
    assert "private note" not in caplog.text


def test_a_note_reaches_its_person_until_they_have_read_it(page):
    run_id = page.ask()
    page.rate(run_id, rating="down", text="Wrong!")
    assert "feedback_notes" not in page.profile().json()
    AnswerFeedback.objects.update(state="answered", note="Thank you, corrected.", note_is_unread=True)
    notes = page.profile().json()["feedback_notes"]
    assert [(note["run_id"], note["text"], note["note"]) for note in notes] == [
        (run_id, "Wrong!", "Thank you, corrected.")
    ]
    elsewhere = {**HERE, "locationId": HERE["locationId"].replace("unit_sunlight", "unit_sugar")}
    assert page.profile(elsewhere).json()["feedback_notes"] == notes
    answer = page.rate(run_id, note_read=True).json()
    assert (answer["note"], answer["rating"]) == ("Thank you, corrected.", "down")
    assert "feedback_notes" not in page.profile().json()


def test_a_page_without_feedback_costs_no_query_more(page, make_scope, django_assert_max_num_queries):
    make_scope(patch=OFF, slug="silent", slot="silent")
    places = [HERE, {**HERE, "uiSlotSelectorId": "silent"}]
    numbers = []
    for place in (*places, *places):
        with django_assert_max_num_queries(100) as captured:
            page.profile(place)
        numbers.append(len(captured))
    assert numbers[2] == numbers[3] + 1


def test_a_conversation_says_what_was_said_of_its_answers(provider, make_scope, learner):
    make_scope(base_filepath="base/chat.json5", slug="chat")
    page = Rater(learner)
    run_ids = [page.ask("One?"), page.ask("Two?")]
    page.rate(run_ids[0], rating="up")
    messages = json.loads(page.run(action="get_current_session_response").json()["response"])["messages"]
    assert [message.get("run_id") for message in messages] == [None, run_ids[0], None, run_ids[1]]
    assert [message.get("feedback", {}).get("rating") for message in messages] == [None, "up", None, None]
    AIWorkflowProfile.objects.update(content_patch=json.dumps(OFF))
    messages = json.loads(page.run(action="get_current_session_response").json()["response"])["messages"]
    assert not any({"run_id", "feedback"} & message.keys() for message in messages)


def test_a_kept_answer_says_what_was_said_of_it(page):
    run_id = page.ask()
    assert page.run(action="get_current_session_response").json()["run_id"] == run_id
    page.rate(run_id, rating="down", text="No.")
    kept = page.run(action="get_current_session_response").json()
    assert (kept["feedback"]["rating"], kept["feedback"]["text"]) == ("down", "No.")


@pytest.mark.django_db(transaction=True)
def test_it_is_retired_with_its_person(page, learner, author, capsys):
    page.rate(page.ask(), rating="down", text="Mine.")
    other = Rater(author)
    other.rate(other.ask(), rating="up")
    assert retire_user(learner, dry_run=True).feedback == 1
    call_command("ai_retire_user", "learner")
    assert "feedback deleted: 1" in capsys.readouterr().out
    assert list(AnswerFeedback.objects.values_list("user", flat=True)) == [author.pk]


def test_it_survives_the_ledger_and_the_profile(page):
    page.rate(page.ask(), rating="up")
    AIWorkflowRun.objects.all().delete()
    AIWorkflowProfile.objects.all().delete()
    row = AnswerFeedback.objects.get()
    assert (row.profile, row.profile_slug, row.profile_version) == (None, "summary", 1)


def test_events_are_sent_only_where_the_profile_wants_them(provider, make_scope, learner, tracked):
    make_scope()
    make_scope(patch=options(trackFeedback=True), slug="tracked", slot="tracked")
    page = Rater(learner)
    page.rate(page.ask(), rating="down", report=True)
    run_id = page.ask(context={**HERE, "uiSlotSelectorId": "tracked"})
    tracked.clear()
    page.rate(run_id, rating="down", reason="wrong", text="A secret thought.")
    page.rate(run_id, rating="down", reason="wrong", text="Another.", report=True)
    page.rate(run_id)
    assert [event["name"] for event in tracked] == ["openedx.ai.workflow.rated", "openedx.ai.workflow.reported"]
    assert tracked[0]["data"] == {
        "run_id": run_id, "action": "run", "course_id": COURSE_ID, "location_id": UNIT_ID, "profile_name": "tracked",
        "profile_version": 1, "user_id": learner.pk, "rating": "down", "reason": "wrong",
    }  # fmt: skip
    assert "secret" not in str(tracked)


@pytest.mark.django_db(transaction=True)
def test_a_page_without_a_note_costs_no_query(page):
    run_id = page.ask()
    page.rate(run_id, rating="down", text="Wrong!")
    page.profile()
    with CaptureQueriesContext(connection) as queries:
        assert "feedback_notes" not in page.profile().json()
    assert not [query for query in queries.captured_queries if "answerfeedback" in query["sql"]]
    row = AnswerFeedback.objects.get()
    row.note, row.note_is_unread = "Thank you, corrected.", True
    row.save()
    assert page.profile().json()["feedback_notes"]
