"""``manage.py ai_upgrade`` on another implementation's database."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from io import StringIO
from itertools import islice

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey
from submissions import api as submissions
from submissions.models import StudentItem, Submission

from openedx_ai_extensions.contrib.upgrade import old_tables
from openedx_ai_extensions.contrib.upgrade.configuration import OUTSIDE
from openedx_ai_extensions.contrib.upgrade.foreign_tables import APP, find, our_migrations
from openedx_ai_extensions.contrib.upgrade.upgrade import upgrade as upgrade_steps
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession, PromptTemplate
from openedx_ai_extensions.processors.openedx.submission import ITEM_TYPE
from openedx_ai_extensions.workflows.orchestrators import orchestrator_class
from tests.conftest import COURSE_ID, SLOT, UNIT_ID
from tests.retirement.conftest import kept
from tests.upgrade.conftest import contents, upgrade
from tests.upgrade.old_site import PROFILE, SESSION, TIME, run_sql
from tests.workflows.conversations.conftest import CHAT, Chat

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NEVER = "base/never_heard_of.json"


def say(user, key, *turns: tuple[str, str], course: str = COURSE_ID, answer=json.dumps) -> str:
    """File a conversation as the other implementation did; returns the last submission's UUID."""
    item = {"student_id": str(user.pk), "course_id": course, "item_id": str(key), "item_type": ITEM_TYPE}
    last = ""
    for question, words in turns:
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": words}]
        last = submissions.create_submission(item, answer(messages))["uuid"]
    return last


@pytest.fixture(params=["numbers", "uuids"])
def site(request, old_site, learner, author):
    """A chat with its conversation, a stack of flashcards, a quiz in review, and a prompt that is named by its key."""
    site = old_site(has_uuids=request.param == "uuids")
    site.prompt_key = site.prompt("tutor")
    reference = str(uuid.UUID(site.prompt_key)) if site.has_uuids else "tutor"
    patch = f'{{ // mine\n  processor_config: {{ LLMProcessor: {{ prompt_template: "{reference}" }} }} }}'
    site.chat = site.profile("chat", "base/chat.json", patch, id=7)
    site.cards = site.profile("cards", "base/flashcards.json5")
    site.quiz = site.profile("quiz", "old/library_questions_assistant.json")
    site.scopes = [
        site.scope(site.chat, course_id=COURSE_ID, ui_slot_selector_id=SLOT, location_regex="unit_"),
        site.scope(site.cards, ui_slot_selector_id="cards", enabled=False),
        site.scope(site.quiz, ui_slot_selector_id="quiz", service_variant="cms"),
    ]
    place = {"course_id": COURSE_ID, "location_id": UNIT_ID}
    site.session_key = site.session(learner.pk, site.scopes[0], site.chat, remote_response_id="resp_1", **place)
    last = say(learner, site.session_key, ("Why green?", "Chlorophyll."), ("Where?", "In the leaf."))
    run_sql(f"UPDATE {SESSION} SET local_submission_id = %s", last)
    card = {"id": "c1", "question": "Q", "answer": "A", "interval": 4, "ease_factor": 2.2, "repetitions": 3}
    site.session(learner.pk, site.scopes[1], site.cards, metadata={"cards": [card, "none"]}, **place)
    question = {"question_html": "<p>2+2?</p>", "problem_type": "numericalresponse", "answer_value": "4"}
    slots = {"question_slots": [{"versions": [question], "selected": 0}], "collection_name": "Sums", "mine": [1]}
    site.session(author.pk, site.scopes[2], site.quiz, metadata=slots, course_id=COURSE_ID)
    return site


def test_all_of_it(site, learner, author, provider):
    before = contents()
    rehearsed = upgrade()
    assert contents() == before
    done = upgrade("--apply")
    counts = [line for line in done if "taken over:" in line]
    assert counts == [
        "prompts taken over: 1, left: 0",
        "profiles taken over: 3, left: 0",
        "scopes taken over: 3, left: 0",
        "sessions taken over: 3, left: 0",
    ]
    assert [line for line in rehearsed if "taken over:" in line] == [
        line.replace("taken", "would be taken") for line in counts
    ]
    notes = [line.split(": ", 2)[2] for line in done if line.startswith("  note:")]
    assert sorted(notes) == [
        "invalid flashcards skipped: 1",
        *[OUTSIDE] * 2,
        "its template base/chat.json is now base/chat.json5",
        "its template old/library_questions_assistant.json is now base/quiz.json5",
    ]
    finding = find(connection)
    assert (set(finding.recorded), finding.unknown, len(finding.aside)) == (our_migrations(), (), 4)

    prompt = PromptTemplate.objects.get(slug="tutor")
    assert (prompt.body, prompt.created_at, prompt.updated_at) == ("Be kind.", THEN, THEN)
    profile = AIWorkflowProfile.objects.get(slug="chat")
    assert (profile.pk, "// mine" in profile.content_patch, profile.problems()) == (site.chat, True, [])
    assert prompt.is_used_in(profile.processor_config)
    assert profile.versions.count() == 1
    fields = ("pk", "profile__slug", "course_id", "location_regex", "service_variant", "enabled", "outside_courses",
              "specificity_index")  # fmt: skip
    assert list(AIWorkflowScope.objects.order_by("pk").values_list(*fields)) == [
        (site.scopes[0], "chat", CourseKey.from_string(COURSE_ID), "unit_", "lms", True, False, 3),
        (site.scopes[1], "cards", None, None, "lms", False, True, 0),
        (site.scopes[2], "quiz", None, None, "cms", True, True, 0),
    ]
    stack = AIWorkflowSession.objects.get(profile__slug="cards")
    (card,) = stack.metadata["cards"]
    assert stack.location_id is None
    assert card == {"id": "c1", "question": "Q", "answer": "A", "next_review_time": 0, "interval": 4,
                    "ease_factor": 2.2, "repetitions": 3, "last_reviewed_at": None}  # fmt: skip
    review = AIWorkflowSession.objects.get(user=author).metadata
    assert (review["collection_name"], review["mine"], len(review["question_slots"][0]["versions"])) == ("Sums", [1], 1)

    # The learner's chat goes on where it was.
    chat = Chat(learner)
    words = [("user", "Why green?"), ("assistant", "Chlorophyll."), ("user", "Where?"), ("assistant", "In the leaf.")]
    assert chat.shown() == words
    session = AIWorkflowSession.objects.get(profile__slug="chat")
    assert (session.created_at, session.updated_at, session.remote_response_id) == (THEN, THEN, "resp_1")
    provider.reply("Of course.")
    assert chat.answer("Really?") == "Of course."
    assert [message["content"] for message in provider.requests[-1]["messages"] if message["role"] == "assistant"] == [
        "Chlorophyll.",
        "In the leaf.",
    ]
    assert chat.shown() == [*words, ("user", "Really?"), ("assistant", "Of course.")]

    # Once more does nothing; dropping leaves what is ours.
    again = upgrade("--apply")
    assert [line for line in again if "taken over:" in line] == [
        line.replace("over: ", "over: 0, earlier: ") for line in counts
    ]
    rows, items = kept(learner)
    assert (rows, items) == (2, 6)
    assert upgrade("--drop-old")[-1] == "old submissions deleted: 2"
    assert kept(learner) == (2, 4)
    assert not find(connection).aside
    assert chat.shown()[:4] == words
    assert upgrade("--drop-old") == ["No tables are set aside."]
    assert upgrade() == upgrade("--apply") == ["Nothing to upgrade: there are no tables of another implementation."]


def test_what_cannot_be_taken_over_is_told_and_kept(old_site, learner):
    site = old_site()
    good = site.profile("good")
    site.profile("bad patch", patch="{ api_key: 'mine'")
    lost = site.profile("lost", NEVER)
    site.prompt("blank", " ")
    scope = site.scope(good, course_id=COURSE_ID)
    site.scope(good, course_id="no course")
    site.scope(good, location_regex="(")
    site.scope(lost)
    site.scope(None)
    for position in range(2):
        site.session(learner.pk, scope, good, course_id=COURSE_ID, updated_at=f"2026-01-0{position + 1} 00:00:00")
    site.session(learner.pk, None, good)
    site.session(learner.pk, scope, good, course_id="nowhere")
    run_sql("SET FOREIGN_KEY_CHECKS = 0" if connection.vendor == "mysql" else "PRAGMA foreign_keys = OFF")
    site.session(987_654, scope, good)
    run_sql("SET FOREIGN_KEY_CHECKS = 1" if connection.vendor == "mysql" else "PRAGMA foreign_keys = ON")

    rehearsed, done = upgrade(), upgrade("--apply")
    left = [line.partition(": ")[2] for line in done if line.startswith("  left:")]
    assert left == [line.partition(": ")[2] for line in rehearsed if line.startswith("  left:")]
    for expected in (
        "prompt 1 (blank): body: The text must not be blank.",
        "profile 3 (lost): base_filepath: No template directory has this file.",
        "profile 2 (bad patch): content_patch:",
        "scope 5: its profile was not taken over",
        "scope 4: its profile was not taken over",
        "scope 3: location_regex:",
        "scope 2: course_id: no course is not a course id",
        "session 5: its person no longer exists",
        "session 4: course_id: nowhere is not a valid key",
        "session 3: its scope was not taken over",
        "session 1: the same person has a later session of this workflow at this location",
    ):
        assert any(line.startswith(expected) for line in left), (expected, left)
    assert len(left) == 11
    assert (AIWorkflowProfile.objects.count(), AIWorkflowScope.objects.count()) == (1, 1)
    assert AIWorkflowSession.objects.count() == 1
    with pytest.raises(CommandError, match=r"prompts: 1, profiles: 2, scopes: 4, sessions: 4"):
        upgrade("--drop-old")

    # What the operator mends is taken over later.
    mended = upgrade("--apply", "--template", f"{NEVER}=base/chat.json5")
    assert "profiles taken over: 1, earlier: 1, left: 1" in mended
    assert "scopes taken over: 1, earlier: 1, left: 3" in mended
    assert AIWorkflowProfile.objects.get(slug="lost").base_filepath == "base/chat.json5"
    upgrade("--drop-old", "--discard-left")
    assert not find(connection).aside


def test_migrate_says_what_to_do_and_changes_nothing(old_site):
    site = old_site(history=())
    site.profile("chat")
    for name in ("", "0001_initial", "0002_other"):  # what is recorded, one after the other
        if name:
            MigrationRecorder(connection).record_applied(APP, name)
        before = contents()
        with pytest.raises(CommandError, match=r"(?s)another implementation.*ai_upgrade"):
            call_command("migrate", verbosity=0)
        warned = StringIO()
        call_command("migrate", "auth", verbosity=0, skip_checks=False, stderr=warned)  # other apps may go on
        assert "openedx_ai_extensions.W003" in warned.getvalue()
        assert contents() == before


def test_migrate_of_ours_is_left_alone(old_site):
    assert not find(connection).is_foreign
    assert not find(connection).differences
    call_command("migrate", verbosity=0)
    recorder = MigrationRecorder(connection)
    recorder.record_applied(APP, "9999_later")
    assert not find(connection).is_foreign
    recorder.record_unapplied(APP, "9999_later")


@pytest.mark.parametrize("history", [("0001_initial", "0002_other"), ("0001_initial",)], ids=len)
def test_cut_off_after_each_step(old_site, learner, history):
    """What a run did holds; the next does the rest, and nothing twice."""
    site = old_site(history=history)
    profile = site.profile("chat", CHAT, id=3)
    session = site.session(learner.pk, site.scope(profile), profile, course_id=COURSE_ID)
    say(learner, session, ("Why?", "So."))
    for reached in range(5):
        assert len(list(islice(upgrade_steps(connection), reached))) == reached
    assert all(report.before + report.taken == 1 for report in list(upgrade_steps(connection))[-3:])
    (new,) = AIWorkflowSession.objects.all()
    assert [message["content"] for message in new.get_local_thread() or ()] == ["Why?", "So."]
    assert AIWorkflowProfile.objects.get().versions.count() == 1


def test_cut_off_within_a_step(old_site, learner):
    """Where tables cannot be made or renamed all at once."""
    site = old_site()
    profile = site.profile("chat", CHAT)
    site.scope(profile)
    old_tables.set_aside(connection, [PROFILE])  # the others are not yet
    assert find(connection).is_foreign
    assert "profiles would be taken over: 1, left: 0" in upgrade()
    assert len(list(islice(upgrade_steps(connection), 1))) == 1
    # A migration that was cut off leaves tables of ours that nobody recorded.
    with connection.schema_editor() as editor:
        editor.create_model(AIWorkflowProfile)
    lines = upgrade("--apply")
    assert "profiles taken over: 1, left: 0" in lines
    assert AIWorkflowScope.objects.get().profile.slug == "chat"


def test_new_sessions_never_find_an_old_conversation(old_site, learner, provider):
    """Conversations are filed under the number of a session: here those of sessions that are gone, or were left."""
    site = old_site()
    site.profile("chat", CHAT, id=1)
    site.scope(1, course_id=COURSE_ID, ui_slot_selector_id=SLOT)
    for key in (1, 2, 40):
        say(learner, key, ("Old?", "Old."))
    upgrade("--apply")
    provider.reply("New.")
    chat = Chat(learner)
    assert chat.answer("New?") == "New."
    assert chat.shown() == [("user", "New?"), ("assistant", "New.")]
    assert chat.session.pk > 40
    upgrade("--drop-old")
    assert chat.shown() == [("user", "New?"), ("assistant", "New.")]


REPLAY = [{"role": "user", "content": "One"}, {"role": "assistant", "content": "1"}]


SHAPES = {
    "it repeats": ([REPLAY, [*REPLAY, {"role": "user", "content": "Two"}]], ["One", "1", "Two"]),
    "a text of a list": ([json.dumps(REPLAY)], ["One", "1"]),
    "an object around the list": ([{"messages": REPLAY}], ["One", "1"]),
    "a message each": (REPLAY, ["One", "1"]),
    "with others": ([[{"role": "system", "content": "Be."}, *REPLAY], "no JSON", 3], ["One", "1"]),
    "a greeting, and a time": (
        [[{"role": "assistant", "content": "Hi", "timestamp": "2020-01-01T00:00:00Z"}], REPLAY],
        ["Hi", "One", "1"],
    ),
    "a long one": ([[{"role": "user", "content": "x" * 90_000}, REPLAY[1]]], ["x" * 90_000, "1"]),
}


def test_shapes_of_conversations(old_site, learner, author):
    site = old_site(has_uuids=True)
    profile = site.profile("chat", CHAT)
    scope = site.scope(profile)
    for number, (answers, _shown) in enumerate(SHAPES.values()):
        item = {"student_id": str(learner.pk), "course_id": "any", "item_id": f"theirs {number}", "item_type": "chat"}
        last = [submissions.create_submission(item, answer)["uuid"] for answer in answers][-1]
        course = f"course-v1:a+b+{number}"
        site.session(learner.pk, scope, profile, local_submission_id=last, course_id=course)
    # Another's, whatever the session says.
    stranger = say(author, "elsewhere", ("Secret", "Secret"))
    site.session(learner.pk, scope, profile, local_submission_id=stranger)
    upgrade("--apply")
    for number, (kind, (_answers, shown)) in enumerate(SHAPES.items()):
        thread = AIWorkflowSession.objects.get(course_id=f"course-v1:a+b+{number}").get_local_thread()
        assert [message["content"] for message in thread or ()] == shown, kind
    assert AIWorkflowSession.objects.get(course_id=CourseKeyField.Empty).get_local_thread() is None
    upgrade("--drop-old")
    assert not StudentItem.objects.filter(item_type="chat").exists()
    assert Submission.objects.filter(student_item__student_id=str(author.pk)).count() == 1


OWN = "openedx_ai_extensions"
ORCHESTRATORS = {
    "by-its-old-path": (f'{{ orchestrator_class: "{OWN}.old.ThreadedLLMResponse" }} // why', True),
    "spelt-with-an-escape": (f'{{ orchestrator_class: "{OWN}.x.\\u0054hreadedLLMResponse" }}', True),
    "somebody-else-s-that-is-not-here": ('{ orchestrator_class: "acme.ThreadedLLMResponse" }', False),
}


def test_orchestrators_are_known_by_their_old_paths(old_site):
    site = old_site()
    for slug, (patch, _is_known) in ORCHESTRATORS.items():
        site.profile(slug, CHAT, patch)
    assert "profiles taken over: 2, left: 1" in upgrade("--apply")
    for slug, (patch, is_known) in ORCHESTRATORS.items():
        profile = AIWorkflowProfile.objects.filter(slug=slug).first()
        assert (profile is not None) == is_known
        if profile is not None:
            assert profile.content_patch == patch
            assert orchestrator_class(profile.orchestrator_class).__name__ == "ThreadedLLMResponse"


def test_it_refuses_what_it_cannot_undo(old_site):
    old_site().profile("chat")
    upgrade("--apply")
    # The other implementation again, beside what was set aside.
    finding = find(connection)
    old_tables.drop(connection, finding.tables)
    run_sql(f"CREATE TABLE {PROFILE} (id integer, other integer)")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM django_migrations WHERE app = '{APP}'")
        cursor.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES ('{APP}', '0002_x', '{TIME}')")
    before = contents()
    with pytest.raises(CommandError, match="set aside before"):
        upgrade("--apply")
    assert contents() == before
    with pytest.raises(CommandError, match="OLD=NEW"):
        upgrade("--template", "x")
