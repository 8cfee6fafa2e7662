"""How long it takes to find the scope of a request."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.measure import answers, median_ratio, report, wall
from benchmarks.site import test_site

SLOT = "unit-summary"
COURSE = "course-v1:Org+Course{number}+run"
ROTATING = 5_000  # courses
LOCATION = "block-v1:Org+Course0+run+type@vertical+block@unit{number}"
REDIS = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:6379/9",
        "KEY_PREFIX": "lms",
    }
}


def main() -> None:
    with test_site():
        _run()


def _run() -> None:
    from django.core.cache import cache
    from django.test.utils import override_settings

    from openedx_ai_extensions.core.cache import bump_version
    from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

    profile = AIWorkflowProfile.objects.create(slug="summary", base_filepath="base/summary.json5")

    def scopes(count: int, *, regexes: int = 1) -> None:
        AIWorkflowScope.objects.all().delete()
        made = [
            AIWorkflowScope(
                profile=profile, course_id=COURSE.format(number=0), ui_slot_selector_id=SLOT, location_regex=f"unit{n}$"
            )
            for n in range(regexes)
        ]
        made += [
            AIWorkflowScope(profile=profile, course_id=COURSE.format(number=n), ui_slot_selector_id=SLOT)
            for n in range(count)
        ]
        # Straight into the table: twenty thousand validations are not what is measured.
        for scope in made:
            scope.clean()
        super(type(AIWorkflowScope.objects.all()), AIWorkflowScope.objects.all()).bulk_create(made, batch_size=1000)
        bump_version()

    def resolve() -> None:
        if AIWorkflowScope.get_profile(COURSE.format(number=0), LOCATION.format(number=0), SLOT) is None:
            raise AssertionError("nothing found")

    def cold() -> float:
        bump_version()
        return wall(resolve)()

    @contextmanager
    def queries(allowed: int) -> Iterator[None]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            yield
        verdict = "ok" if len(captured) <= allowed else "MISSED"
        print(f"{'  SQL queries':<58} {len(captured)}   (at most {allowed}: {verdict})")

    known = {("course", "location", "slot"): object()}

    def baseline() -> None:
        known["course", "location", "slot"]  # the look-up is what is timed
        cache.get("generation")

    course, location = COURSE.format(number=0), LOCATION.format(number=0)

    def hot() -> None:
        AIWorkflowScope.get_profile(course, location, SLOT)

    def hot_against_baseline(name: str) -> None:
        cache.set("generation", "0" * 32)
        resolve()
        report(name, median_ratio(wall(hot, 2000), wall(baseline, 2000), 15), 1.2)
        with queries(0):
            resolve()

    scopes(10)
    hot_against_baseline("get_profile, hot / dict + cache.get (local memory)")
    if answers(6379):
        with override_settings(CACHES=REDIS):
            hot_against_baseline("get_profile, hot / dict + cache.get (Redis)")
    bump_version()
    print("get_profile, cold")
    with queries(1):
        resolve()

    few_cold, few_hot = _series(cold, 60), _series(wall(hot, 500), 15)
    scopes(20_000)
    many_cold, many_hot = _series(cold, 60), _series(wall(hot, 500), 15)
    report("get_profile, cold: 20 000 scopes / 10", (many_cold, few_cold, many_cold / few_cold), 1.3)
    report("get_profile, hot: 20 000 scopes / 10", (many_hot, few_hot, many_hot / few_hot), 1.3)

    _rotation(AIWorkflowScope)

    one = _any_location(hot_locations(AIWorkflowScope), 1)
    scopes(10, regexes=500)
    many = _any_location(hot_locations(AIWorkflowScope), 500)
    report("get_profile, hot: a course with 500 patterns / with 1", (many, one, many / one), 3.0)


def _rotation(model: type) -> None:
    """Many courses in turn, beside reading each scope by its primary key."""
    keys = dict(model.objects.order_by("id").values_list("id", "course_id")[:ROTATING])
    contexts = itertools.cycle([str(course) for course in keys.values()])
    pks = itertools.cycle(keys)
    tracemalloc.start()
    for _ in keys:
        model.get_profile(next(contexts), None, SLOT)
    size = tracemalloc.get_traced_memory()[0] / ROTATING
    tracemalloc.stop()
    ours = wall(lambda: model.get_profile(next(contexts), None, SLOT), 500)
    by_key = wall(lambda: model.objects.get(pk=next(pks)), 500)
    report(f"get_profile, {ROTATING:,} courses in turn / get(pk=…)", median_ratio(ours, by_key, 15), 1.0)
    print(f"{'  memory of each':<58} {size / 1024:.1f} KB")


def hot_locations(model: type) -> Callable[[int], Callable[[], None]]:
    """A resolver of the location that only the last pattern matches."""

    def of(regexes: int) -> Callable[[], None]:
        course, location = COURSE.format(number=0), LOCATION.format(number=regexes - 1)
        return lambda: model.get_profile(course, location, SLOT)

    return of


def _any_location(make: Callable[[int], Callable[[], None]], regexes: int) -> float:
    call = make(regexes)
    call()
    return _series(wall(call, 500), 15)


def _series(measure: Callable[[], float], rounds: int) -> float:
    values = sorted(measure() for _ in range(rounds))
    time.sleep(0)
    return values[len(values) // 2]


if __name__ == "__main__":
    main()
