"""``ai_explain``: why a widget gets what it gets."""

import itertools
from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from openedx_ai_extensions.models import AILimit, AINotice, AIPause, AIWorkflowScope
from openedx_ai_extensions.workflows import unmatched_slots
from tests.api.conftest import HERE, Api
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

OTHER_COURSE = "course-v1:Other+X+1"
OTHER_UNIT = "block-v1:Other+X+1+type@vertical+block@unit_sunlight"
STAFF_UNIT = "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_teacher_notes"


@pytest.fixture
def scope_of(make_scope):
    """A scope like the winner but for these fields, made before the winner."""
    profile = make_scope(slot="elsewhere", slug="other").profile

    def make(**fields):
        here = {"course_id": COURSE_ID, "ui_slot_selector_id": SLOT, "service_variant": "lms", "enabled": True}
        return AIWorkflowScope.objects.create(profile=profile, **{**here, **fields})

    return make


def reasons(answer, scope):
    (entry,) = [entry for entry in answer["others"] if entry["id"] == scope.pk]
    return entry["reasons"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"enabled": False}, ["not_enabled"], id="not enabled"),
        pytest.param({"service_variant": "cms"}, ["other_service"], id="for Studio"),
        pytest.param({"ui_slot_selector_id": "another"}, ["other_slot"], id="another slot"),
        pytest.param({"ui_slot_selector_id": SLOT.upper()}, ["other_slot"], id="the slot in capitals"),
        pytest.param({"ui_slot_selector_id": ""}, ["other_slot"], id="no slot"),
        pytest.param({"course_id": OTHER_COURSE}, ["other_course"], id="another course"),
        pytest.param({"location_regex": "nowhere"}, ["no_match"], id="a pattern that does not match"),
        pytest.param({"course_id": None}, ["less_specific"], id="every course"),
        pytest.param({}, ["older"], id="the same, older"),
        pytest.param(
            {"enabled": False, "service_variant": "cms", "course_id": OTHER_COURSE},
            ["not_enabled", "other_service", "other_course"],
            id="all at once",
        ),
    ],
)
def test_why_a_scope_loses(explain, scope_of, make_scope, fields, expected):
    loser = scope_of(**fields)
    winner = make_scope()
    answer = explain()
    assert answer["winner"]["id"] == winner.pk
    assert reasons(answer, loser) == expected
    texts = next(entry["texts"] for entry in answer["others"] if entry["id"] == loser.pk)
    assert all(text and "{" not in text for text in texts)


def test_a_pattern_without_a_location(explain, scope_of):
    scope = scope_of(location_regex="unit")
    answer = explain(location=None)
    assert (answer["winner"], answer["outcome"]) == (None, "no_scope")
    assert reasons(answer, scope) == ["no_location"]


def test_a_pattern_that_is_not_valid_any_more(explain, scope_of):
    scope = scope_of()
    QuerySet(AIWorkflowScope).filter(pk=scope.pk).update(location_regex="(")
    assert reasons(explain(), scope) == ["invalid"]


def test_a_hostile_pattern(explain, scope_of):
    scope = scope_of(location_regex=r"^(\S|\S\S)+(b|c)\1$")
    assert reasons(explain(), scope) == ["too_slow"]


def test_it_always_names_the_scope_that_widgets_get(explain, scope_of):
    courses, patterns = (COURSE_ID, OTHER_COURSE, None), (None, "sunlight", "nowhere", "type@vertical")
    for number, (course, pattern) in enumerate(itertools.product(courses, patterns)):
        scope_of(course_id=course, location_regex=pattern, enabled=number != 4)
        scope_of(course_id=course, location_regex=pattern, ui_slot_selector_id="two")
    places = [(COURSE_ID, UNIT_ID), (COURSE_ID, None), (OTHER_COURSE, OTHER_UNIT), (None, None)]
    for (course, location), slot in itertools.product(places, (SLOT, "two", "three")):
        found = AIWorkflowScope.get_profile(course, location, slot)
        answer = explain(course=course, location=location, slot=slot)
        assert (answer["winner"] or {}).get("id") == (found and found.pk)
        # Everyone else has a reason, and nobody is forgotten.
        others = answer["others"]
        assert all(entry["reasons"] for entry in others)
        assert len(others) + (found is not None) == AIWorkflowScope.objects.count()


def test_of_very_many_scopes_the_nearest_are_explained_in_a_few_queries(explain, scope_of, make_scope):
    near = scope_of(course_id=None)
    scopes = [AIWorkflowScope(profile=near.profile, course_id=OTHER_COURSE, ui_slot_selector_id=f"s{number}")
              for number in range(150)]  # fmt: skip
    AIWorkflowScope.objects.bulk_create(scopes)
    make_scope()
    with CaptureQueriesContext(connection) as queries:
        answer = explain(user=None)
    assert answer["others"][0]["id"] == near.pk
    assert (len(answer["others"]), answer["left_out"]) == (100, 52)
    assert len(queries) < 10


def test_a_workflow_for_others(explain, make_scope, learner, author):
    make_scope(base_filepath="base/quiz.json5")
    stopped = explain(user="learner")
    (check,) = (check for check in stopped["checks"] if check["stops"])
    assert (stopped["outcome"], check["about"]) == ("not_for_person", "use")
    assert explain(user="author")["outcome"] == "ready"


def test_a_broken_profile(explain, scope_of, make_scope):
    scope = make_scope()
    # As when the template changed after the profile was saved.
    QuerySet(type(scope.profile)).filter(pk=scope.profile_id).update(base_filepath="base/gone.json5")
    answer = explain()
    assert (answer["outcome"], answer["winner"]["is_usable"]) == ("broken", False)
    assert answer["problems"][0]["severity"] == "error"


def pause(**fields):
    AIPause.objects.create(message="Back soon", **fields)


def nothing_left(**fields):
    AILimit.objects.create(period="day", requests=0, **fields)


@pytest.mark.parametrize(
    ("prepare", "options", "outcome", "about", "words"),
    [
        pytest.param(lambda: None, {}, "ready", None, "", id="nothing in the way"),
        pytest.param(lambda: None, {"user": "stranger"}, "not_seen", "sight", "No:", id="not enrolled"),
        pytest.param(
            lambda: None, {"user": "learner", "location": STAFF_UNIT}, "not_seen", "sight", "No:", id="a staff unit"
        ),
        pytest.param(lambda: None, {"user": "author", "location": STAFF_UNIT}, "ready", None, "", id="its author"),
        pytest.param(pause, {}, "off", "rules", "AI pause", id="a pause"),
        pytest.param(lambda: pause(location_regex="sunlight"), {}, "off", "rules", "Back soon", id="a marked place"),
        pytest.param(
            lambda: pause(weekdays="0123456", ends_at=timezone.now() + timedelta(hours=1)),
            {},
            "quiet",
            "rules",
            "quiet hours",
            id="quiet hours",
        ),
        pytest.param(
            lambda: AINotice.objects.create(text="We use AI."),
            {"user": "learner"},
            "no_consent",
            "consent",
            "version 1",
            id="no consent",
        ),
        pytest.param(lambda: nothing_left(per="site"), {}, "used_up", "limits", "site/day/requests", id="site's limit"),
        pytest.param(
            lambda: nothing_left(per="person"), {"user": "learner"}, "used_up", "limits", "person/day", id="own limit"
        ),
    ],
)
def test_what_stands_in_the_way(
    explain, make_scope, provider, learner, author, stranger, prepare, options, outcome, about, words
):
    make_scope()
    prepare()
    with CaptureQueriesContext(connection) as queries:
        answer = explain(**options)
    assert answer["outcome"] == outcome
    stops = [check for check in answer["checks"] if check["stops"]]
    assert [check["about"] for check in stops] == ([about] if about else [])
    assert all(words in check["text"] for check in stops)
    assert not [query["sql"] for query in queries if not query["sql"].lstrip().startswith("SELECT")]


def test_the_kill_switch(explain, make_scope, settings):
    make_scope()
    settings.AI_EXTENSIONS_ENABLED = False
    answer = explain()
    assert (answer["outcome"], answer["checks"][0]["reason"]) == ("off", "paused")
    assert "AI_EXTENSIONS_ENABLED" in answer["checks"][0]["text"]


def test_the_other_service_has_a_platform_and_rules_of_its_own(explain, make_scope, learner):
    scope = make_scope(service_variant="cms")
    pause()
    answer = explain(service="cms", user="learner")
    assert (answer["winner"]["id"], answer["is_elsewhere"], answer["checks"]) == (scope.pk, True, [])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--course=junk", f"--slot={SLOT}"], "--course"),
        (["--location=junk", f"--slot={SLOT}"], "--location"),
        ([f"--course={OTHER_COURSE}", f"--location={UNIT_ID}", f"--slot={SLOT}"], "--location does not belong"),
        ([f"--slot={SLOT}", "--user=nobody"], "nobody"),
        ([f"--course={COURSE_ID}"], "--slot"),
    ],
)
def test_a_question_that_makes_no_sense(command, db, args, words):
    with pytest.raises(CommandError, match=words):
        command("ai_explain", *args)


def test_in_words(command, make_scope, scope_of, learner, provider):
    scope_of(course_id=None)
    make_scope()
    text = command(
        "ai_explain", f"--course={COURSE_ID}", f"--location={UNIT_ID}", f"--slot={SLOT}", "--user=learner"
    )  # fmt: skip
    assert text.splitlines()[0] == "The widget is visible and answers."
    assert "profile summary: usable" in text
    assert "less specific" in text


def asked(explain):
    return [entry["slot"] for entry in explain(course=None, location=None, slot=None, service=None)["asked_in_vain"]]


def test_what_widgets_asked_for_in_vain_until_somebody_serves_it(explain, learner, make_scope):
    api = Api(learner)
    assert api.profile({**HERE, "uiSlotSelectorId": "new-slot"}).json()["status"] == "no_config"
    api.profile({**HERE, "uiSlotSelectorId": "x" * 300})
    api.profile({"courseId": COURSE_ID})
    assert asked(explain) == ["new-slot"]
    make_scope(slot="new-slot")
    assert asked(explain) == []


def test_asking_in_vain_costs_no_query_and_is_bounded(explain, learner, make_scope):
    api = Api(learner)
    make_scope()
    api.profile({**HERE, "uiSlotSelectorId": "slot-0"})
    counts = []
    for number in (0, 1):
        AIWorkflowScope.get_profile(COURSE_ID, UNIT_ID, f"slot-{number}")
        with CaptureQueriesContext(connection) as queries:
            api.profile({**HERE, "uiSlotSelectorId": f"slot-{number}"})
        counts.append(len(queries))
    assert counts[0] == counts[1]  # what is remembered already, and what is not
    for number in range(40):
        unmatched_slots.record(f"slot-{number}", "lms", COURSE_ID, number, lambda: True)
    assert len(asked(explain)) == unmatched_slots.MAX_WRITES_PER_MINUTE


@pytest.mark.parametrize(
    ("older", "newer", "kind"),
    [
        pytest.param({}, {}, "same", id="the same"),
        pytest.param({"location_regex": "unit"}, {"location_regex": "unit"}, "same", id="the same pattern"),
        pytest.param({"location_regex": "unit_1"}, {"location_regex": "unit"}, "covered", id="part of its pattern"),
        pytest.param({"location_regex": r"a\+b"}, {"location_regex": r"\+"}, "covered", id="part, with escapes"),
        pytest.param({"location_regex": "a.c"}, {"location_regex": ".*"}, "covered", id="everything"),
        pytest.param({}, {"location_regex": "^"}, "only_without_location", id="everything but no location"),
        pytest.param({"ui_slot_selector_id": ""}, {}, "no_slot", id="no slot"),
        pytest.param({"location_regex": "unit"}, {"location_regex": "unit_1"}, None, id="the narrower is newer"),
        pytest.param({"location_regex": "unit.1"}, {"location_regex": "unit1"}, None, id="nobody knows"),
        pytest.param({"location_regex": "ab"}, {"location_regex": "a+b"}, None, id="a pattern is no text"),
        pytest.param({}, {"course_id": OTHER_COURSE}, None, id="another course"),
        pytest.param({}, {"service_variant": "cms"}, None, id="another service"),
        pytest.param({}, {"enabled": False}, None, id="the newer is not enabled"),
        pytest.param({"course_id": None}, {}, None, id="one course of all"),
    ],
)
def test_scopes_that_cannot_win(explain, scope_of, older, newer, kind):
    first, second = scope_of(**older), scope_of(**newer)
    found = explain(course=None, location=None, slot=None, service=None)["findings"]
    expected = [] if kind is None else [(first.pk, kind, None if kind == "no_slot" else second.pk)]
    assert [(entry["id"], entry["kind"], entry["other"]) for entry in found] == expected
