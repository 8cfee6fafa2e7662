"""Which scope wins, for how many queries, and that nobody is answered from the past."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

OTHER_COURSE = "course-v1:OpenedX+AIX+other"
LONG_LOCATION = "block-v1:OpenedX+AIX+demo+type@html+block@" + "a" * 200
HOSTILE = r"block@(a+)+(b|c)\1$"


def resolve(course_id=COURSE_ID, location_id=UNIT_ID, slot=SLOT):
    scope = AIWorkflowScope.get_profile(course_id, location_id, slot)
    return None if scope is None else scope.profile.slug


WINNERS = [
    pytest.param([{"slug": "off", "enabled": False}], {}, None, id="a scope that is off"),
    pytest.param([{"slug": "cms", "service_variant": "cms"}], {}, None, id="the other service's"),
    pytest.param([{"slug": "all", "course_id": None, "outside_courses": True}],
                 {"course_id": None, "location_id": None}, "all", id="a wildcard for outside of courses"),
    pytest.param([{"slug": "all", "course_id": None}], {"course_id": None, "location_id": None}, None,
                 id="a wildcard is for courses"),
    pytest.param([{"slug": "all", "course_id": None}], {"course_id": OTHER_COURSE}, "all", id="any course"),
    pytest.param([{"slug": "course"}], {"course_id": None, "location_id": None}, None,
                 id="a course's needs the course"),
    pytest.param([{"slug": "course"}], {"course_id": None}, "course", id="a location tells its course"),
    pytest.param([{"slug": "course"}], {"course_id": OTHER_COURSE}, None, id="another course's"),
    pytest.param([{"slug": "course"}], {"course_id": COURSE_ID.replace("demo", "DEMO")}, None,
                 id="a course in other letters"),
    pytest.param([{"slug": "here", "location_regex": "sunlight$"}], {}, "here", id="a pattern is searched"),
    pytest.param([{"slug": "here", "location_regex": "^unit"}], {}, None, id="an anchored pattern"),
    pytest.param([{"slug": "here", "location_regex": "."}], {"location_id": None}, None,
                 id="no location matches no pattern"),
    pytest.param([{"slug": "course"}, {"slug": "all", "course_id": None}], {}, "course", id="a course beats all"),
    pytest.param([{"slug": "pattern", "course_id": None, "location_regex": "unit"}, {"slug": "course"}], {}, "pattern",
                 id="a pattern beats a course"),
    pytest.param([{"slug": "both", "location_regex": "unit"},
                  {"slug": "pattern", "course_id": None, "location_regex": "unit"}, {"slug": "course"}], {}, "both",
                 id="both beat one"),
    pytest.param([{"slug": "both", "location_regex": "quiz"}, {"slug": "course"}], {}, "course",
                 id="the next where the pattern does not match"),
    pytest.param([{"slug": "old"}, {"slug": "new"}], {}, "new", id="the newest of equals"),
    pytest.param([{"slug": "old"}, {"slug": "new", "enabled": False}], {}, "old", id="the newest that is on"),
    pytest.param([{"slug": "hostile", "location_regex": HOSTILE}, {"slug": "next"}],
                 {"location_id": LONG_LOCATION}, "next", id="a pattern that takes too long does not match"),
    pytest.param([{"slug": "a"}], {"slot": "Unit-Summary"}, None, id="a slot in other letters"),
    pytest.param([{"slug": "a"}], {"slot": "unit"}, None, id="part of a slot"),
    pytest.param([{"slug": "a"}], {"slot": "unit-summary "}, None, id="a slot and a space"),
    pytest.param([{"slug": "a", "slot": ""}], {}, None, id="a scope without slot is nobody's"),
    pytest.param([{"slug": "a", "slot": ""}], {"slot": ""}, None, id="an empty slot"),
    pytest.param([{"slug": "a"}], {"slot": None}, None, id="no slot"),
    pytest.param([{"slug": "all", "course_id": None}], {"course_id": "no course"}, None, id="not a course key"),
    pytest.param([{"slug": "a"}], {"course_id": CourseKey.from_string(COURSE_ID),
                                   "location_id": UsageKey.from_string(UNIT_ID)}, "a", id="opaque keys"),
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("scopes", "context", "winner"), WINNERS)
def test_the_most_specific_scope_wins(make_scope, scopes, context, winner):
    started = time.thread_time()
    with transaction.atomic():
        for values in scopes:
            make_scope(base_filepath="examples/mock.json5", **values)
        assert resolve(**context) == winner, "before the commit"
    assert resolve(**context) == winner, "from the database"
    assert resolve(**context) == winner, "from the cache"
    assert time.thread_time() - started < 10


def test_each_service_has_its_own(make_scope, settings):
    make_scope(slug="lms")
    make_scope(slug="cms", service_variant="cms")
    assert resolve() == "lms"
    settings.SERVICE_VARIANT = "cms"
    assert resolve() == "cms"


@pytest.mark.django_db(transaction=True)
def test_one_query_cold_and_none_hot_however_many_scopes(make_scope, django_assert_num_queries):
    profile = make_scope(slug="winner", location_regex="unit").profile
    AIWorkflowScope.objects.bulk_create(
        AIWorkflowScope(profile=profile, ui_slot_selector_id=SLOT, location_regex=f"no-{number}")
        for number in range(200)
    )
    with django_assert_num_queries(1):
        assert resolve() == "winner"
    with django_assert_num_queries(0):
        assert [resolve() for _ in range(5)] == ["winner"] * 5
        assert resolve(location_id=None) is None
        assert AIWorkflowScope.get_profile(COURSE_ID, UNIT_ID, SLOT).profile.config
    with django_assert_num_queries(1):
        assert resolve(slot="elsewhere") is None
    with django_assert_num_queries(0):
        assert resolve(slot="elsewhere") is None


@pytest.mark.django_db(transaction=True)
def test_an_instance_is_the_callers_own(make_scope):
    make_scope()
    first = AIWorkflowScope.get_profile(COURSE_ID, UNIT_ID, SLOT)
    first.ui_slot_selector_id = "changed"
    first.profile.slug = "changed"
    first.profile.config["processor_config"].clear()
    first.profile = AIWorkflowProfile(slug="another")
    second = AIWorkflowScope.get_profile(COURSE_ID, UNIT_ID, SLOT)
    assert second is not first
    assert (second.ui_slot_selector_id, second.profile.slug) == (SLOT, "summary")
    assert second.profile.processor_config
    assert second.pk == first.pk
    assert not second._state.adding
    second.save()


@pytest.mark.django_db(transaction=True)
def test_threads_never_see_each_others_location(make_scope):
    make_scope()
    barrier = threading.Barrier(8)

    def ask(number):
        own = UNIT_ID + str(number)
        barrier.wait()
        try:
            return {AIWorkflowScope.get_profile(COURSE_ID, own, SLOT).location_id == own for _ in range(200)}
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [{True}] * 8


def cascade(scope):
    scope.profile.delete()


def change_profile(scope):
    scope.profile.slug = "changed"
    scope.profile.save()


def disable(scope):
    scope.enabled = False
    scope.save()


def bulk_disable(scope):
    scope.enabled = False
    AIWorkflowScope.objects.bulk_update([scope], ["enabled"])


def create_better(scope, create=lambda scope: scope.save()):
    create(AIWorkflowScope(
        profile=AIWorkflowProfile.objects.create(slug="better", base_filepath="examples/mock.json5"),
        location_regex="unit", ui_slot_selector_id=SLOT,
    ))  # fmt: skip


def bulk_create_better(scope):
    create_better(scope, lambda better: AIWorkflowScope.objects.bulk_create([better]))


CHANGES = [
    pytest.param(disable, None, id="save"),
    pytest.param(lambda scope: scope.delete(), None, id="delete"),
    pytest.param(lambda _: AIWorkflowScope.objects.update(enabled=False), None, id="queryset.update"),
    pytest.param(lambda _: AIWorkflowScope.objects.all().delete(), None, id="queryset.delete"),
    pytest.param(bulk_disable, None, id="bulk_update"),
    pytest.param(create_better, "better", id="create"),
    pytest.param(bulk_create_better, "better", id="bulk_create"),
    pytest.param(cascade, None, id="delete of the profile"),
    pytest.param(lambda _: AIWorkflowProfile.objects.all().delete(), None, id="queryset.delete of profiles"),
    pytest.param(change_profile, "changed", id="save of the profile"),
    pytest.param(
        lambda _: AIWorkflowProfile.objects.update(slug="changed"), "changed", id="queryset.update of profiles"
    ),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("change", "winner"), CHANGES)
def test_every_change_is_seen_at_once(make_scope, change, winner):
    scope = make_scope()
    assert [resolve(), resolve()] == ["summary"] * 2
    change(scope)
    assert resolve() == winner


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("change", "winner"), CHANGES)
def test_a_change_not_yet_committed_is_seen_by_its_own_thread_only(make_scope, change, winner):
    scope = make_scope()
    assert resolve() == "summary"
    with transaction.atomic():
        change(scope)
        assert [resolve(), resolve()] == [winner] * 2
    assert [resolve(), resolve()] == [winner] * 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("change", "winner"), CHANGES)
def test_a_rollback_leaves_nothing_behind(make_scope, django_assert_num_queries, change, winner):
    scope = make_scope()
    assert resolve() == "summary"
    with transaction.atomic():
        change(scope)
        assert resolve() == winner
        transaction.set_rollback(True)
    assert resolve() == "summary"
    with django_assert_num_queries(0):
        assert resolve() == "summary"


@pytest.mark.django_db(transaction=True)
def test_a_rollback_to_a_savepoint_leaves_nothing_behind(make_scope):
    scope = make_scope()
    with transaction.atomic():
        with transaction.atomic():
            disable(scope)
            assert resolve() is None
            transaction.set_rollback(True)
        assert resolve() == "summary"
    assert resolve() == "summary"


@pytest.mark.django_db(transaction=True)
def test_what_another_thread_caches_before_the_commit_is_outdated_by_it(make_scope, django_assert_num_queries):
    scope = make_scope()

    def elsewhere():
        try:
            return resolve()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            disable(scope)
            assert other.submit(elsewhere).result() == "summary"
        assert other.submit(elsewhere).result() is None
    with django_assert_num_queries(0):
        assert resolve() is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("backend", "location", "warnings"),
    [
        pytest.param("redis.RedisCache", "redis://127.0.0.1:9/0", 1, id="Redis is down"),
        pytest.param("dummy.DummyCache", "", 0, id="the cache keeps nothing"),
    ],
)
def test_without_a_cache_answers_are_fresh(make_scope, settings, caplog, backend, location, warnings):
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": location}}
    scope = make_scope()
    for enabled in (True, False, True):
        scope.enabled = enabled
        scope.save()
        for _ in range(2):
            caplog.clear()
            with CaptureQueriesContext(connection) as queries:
                assert resolve() == ("summary" if enabled else None)
            assert len(queries) == 1
            assert [record.getMessage().split(" ")[0] for record in caplog.records] == ["scope.cache.down"] * warnings


@pytest.mark.django_db(transaction=True)
def test_after_an_outage_the_cache_serves_again(make_scope, settings, django_assert_num_queries):
    make_scope()
    working = settings.CACHES
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    }
    assert resolve() == "summary"
    settings.CACHES = working
    assert resolve() == "summary"
    with django_assert_num_queries(0):
        assert resolve() == "summary"


@pytest.mark.django_db(transaction=True)
def test_a_lost_token_never_brings_an_old_answer_back(make_scope):
    make_scope()
    assert resolve() == "summary"
    cache.clear()
    AIWorkflowScope.objects.all().delete()
    cache.clear()
    assert resolve() is None


@pytest.mark.parametrize(
    ("pattern", "location", "found"),
    [
        pytest.param("unit_(?P<name>sun)", UNIT_ID, True, id="groups"),
        pytest.param(r"block@unit_\w+$", UNIT_ID, True, id="classes"),
        pytest.param("UNIT", UNIT_ID, False, id="exact letters"),
        pytest.param("(?i)UNIT", UNIT_ID, True, id="any letters when asked"),
        pytest.param("a|b|unit", UNIT_ID, True, id="alternatives"),
        pytest.param("é+", "block@éé", True, id="not only ASCII"),
    ],
)
def test_patterns_mean_what_re_means(make_scope, pattern, location, found):
    make_scope(location_regex=pattern)
    assert resolve(location_id=location) == ("summary" if found else None)


def test_a_pattern_that_was_never_checked_matches_nothing(make_scope, caplog):
    scope = make_scope(slug="broken", location_regex="unit")
    make_scope(slug="next")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {AIWorkflowScope._meta.db_table} SET location_regex = '(' WHERE id = %s", [scope.pk])
    assert resolve() == "next"
    assert "scope.regex.invalid" in caplog.text
