"""While a site is updated, processes of the release before still run on tables that are already migrated."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from tests.conftest import COURSE_ID, UNIT_ID

APP = "openedx_ai_extensions"
NAMES = sorted(name for app, name in MigrationLoader(None).disk_migrations if app == APP)
NUMBERS = count(1)


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([(APP, name)])


@pytest.fixture
def _latest_afterwards(transactional_db) -> Iterator[None]:
    yield
    migrate(NAMES[-1])


class ReleaseBefore:
    """The code of a release, as its migrations know it: its models, and the columns that it writes."""

    def __init__(self, name: str, person: models.Model) -> None:
        self.models = list(MigrationLoader(connection).project_state([(APP, name)]).apps.get_models())
        self.person = person

    def write(self) -> list[models.Model]:
        own = [each for each in self.models if each._meta.app_label == APP and not each._meta.proxy]
        return [self.insert(model) for model in own]

    def insert(self, model: type[models.Model]) -> models.Model:
        required = [
            field
            for field in model._meta.concrete_fields
            if not (
                isinstance(field, models.AutoField)
                or field.null
                or field.has_default()
                or getattr(field, "auto_now", False)
            )
        ]
        return model._default_manager.create(**{field.attname: self.value(field) for field in required})

    def value(self, field: Any) -> Any:
        if field.is_relation:
            related = field.related_model
            return (self.insert(related) if related._meta.app_label == APP else self.person).pk
        number = next(NUMBERS)
        return {
            "DateField": timezone.now().date(),
            "DateTimeField": timezone.now(),
            "CourseKeyField": COURSE_ID,
            "UsageKeyField": UNIT_ID,
        }.get(type(field).__name__) or (number if "Integer" in field.get_internal_type() else f"{number}")


@pytest.mark.usefixtures("_latest_afterwards")
@pytest.mark.parametrize(("before", "after"), list(pairwise(NAMES)), ids=NAMES[1:])
def test_the_release_before_can_still_write(before, after, django_user_model):
    person = django_user_model.objects.create_user("person")
    migrate(before)
    release = ReleaseBefore(before, person)
    old = release.write()
    migrate(after)
    for row in [*old, *release.write()]:
        row.save(force_update=True)
        assert type(row)._default_manager.filter(pk=row.pk).exists()
    migrate(NAMES[-1])
    for model in apps.get_app_config(APP).get_models():
        assert all(str(row) for row in model._default_manager.all())


@pytest.mark.usefixtures("_latest_afterwards")
def test_what_answers_outside_of_courses_goes_on_where_it_was_used(django_user_model):
    person = django_user_model.objects.create_user("person")
    migrate("0010_refusals")
    found = {model.__name__: model for model in ReleaseBefore("0010_refusals", person).models}
    profile = found["AIWorkflowProfile"].objects.create(slug="chat", base_filepath="base/chat.json5")

    def used(slot: str, outcome: str = "", *, course: str = "", pattern: str | None = None) -> None:
        """A scope, and somebody who used it: with a session, or with a run in the ledger."""
        place = {"course_id": course, "profile": profile}
        scope = found["AIWorkflowScope"].objects.create(ui_slot_selector_id=slot, location_regex=pattern, **place)
        if outcome:
            found["AIWorkflowRun"].objects.create(
                run_id=slot, created_at=timezone.now(), ui_slot_selector_id=slot, outcome=outcome, **place
            )
        else:
            found["AIWorkflowSession"].objects.create(user_id=person.pk, scope=scope, **place)

    used("session")
    used("run", "completed")
    used("refused", "refused")
    used("in-course", course=COURSE_ID)
    used("pattern", "completed", pattern="unit")
    found["AIWorkflowScope"].objects.create(ui_slot_selector_id="unused", profile=profile)
    migrate("0011_outside_courses")
    kept = apps.get_model(APP, "AIWorkflowScope").objects.filter(outside_courses=True)
    assert {scope.ui_slot_selector_id for scope in kept} == {"session", "run"}
