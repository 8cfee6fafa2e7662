"""The upgrade from the public implementation's tables to ours. It can be repeated after an interruption at any step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from openedx_ai_extensions.contrib.upgrade import configuration, conversations, old_tables
from openedx_ai_extensions.contrib.upgrade.configuration import CHANGE, DISCARD, NewRow, NotTakenOver
from openedx_ai_extensions.contrib.upgrade.foreign_tables import APP, FIRST, DatabaseState, find, our_migrations
from openedx_ai_extensions.contrib.upgrade.old_tables import OldTable, Row, as_text, as_time, as_uuid
from openedx_ai_extensions.contrib.upgrade.sessions import Sessions, hidden_scopes, require_only_session
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession, PromptTemplate
from openedx_ai_extensions.prompts.models import lookups_from

# Each may refer to those before it.
MODELS: Mapping[str, type[Model]] = {
    "prompt": PromptTemplate,
    "profile": AIWorkflowProfile,
    "scope": AIWorkflowScope,
    "session": AIWorkflowSession,
}


@dataclass(slots=True)
class Report:
    """The result for the rows of one model.

    Attributes:
        kind: ``prompt``, ``profile``, ``scope`` or ``session``.
        before: the number of rows that were taken over earlier.
        taken: the number of rows taken over now, or that would be.
        notes: rows, and what is different from before.
        left: rows that were not taken over, and why.
    """

    kind: str
    before: int = 0
    taken: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


def upgrade(connection: BaseDatabaseWrapper, templates: Mapping[str, str] | None = None) -> Iterator[str | Report]:
    """Do what remains to be done. Yields a line after each step, and a report for each model.

    Args:
        templates: the operator's choices of templates, by old path.

    Raises:
        CommandError: the upgrade is not possible here. Steps that are done remain.
    """
    state = find(connection)
    if not state.is_foreign and not state.aside:
        return
    require_possible(connection, state)
    if state.is_foreign or FIRST not in state.recorded:
        _make_room(connection, state)
        yield f"set aside: {', '.join(find(connection).aside) or 'no table, but a history'}"
    state = find(connection)
    if our_migrations() - set(state.recorded):
        _undo_interrupted_migration(connection, state)
        call_command("migrate", APP, database=connection.alias, interactive=False, verbosity=0, skip_checks=True)
        yield "made: the tables of this package"
    numbers = [int(key) for key in _old_table(connection, "session").keys() if as_uuid(key) is None]  # noqa: SIM118
    last = max([0, *numbers, conversations.last_item()])
    old_tables.start_ids_after(connection, AIWorkflowSession._meta.db_table, last)
    yield from Copying(connection, templates).run()


def require_possible(connection: BaseDatabaseWrapper, state: DatabaseState) -> None:
    """Raises CommandError if the old tables of this database cannot be set aside."""
    if connection.vendor not in old_tables.VENDORS:
        raise CommandError("The upgrade supports only MySQL, MariaDB and SQLite. Nothing has been changed.")
    if not state.is_foreign:
        return
    twice = [name for name in state.tables if old_tables.aside_name(name) in state.aside]
    if twice:
        raise CommandError(
            f"These tables were set aside before, and exist again: {', '.join(twice)}. Rename or drop those that were "
            "set aside. Nothing has been changed."
        )
    referring = list(old_tables.referring_tables(connection, state.tables))
    if referring:
        raise CommandError(
            f"Tables of other apps refer to the old tables: {', '.join(referring)}. Remove those apps first. Nothing "
            "has been changed."
        )


def _make_room(connection: BaseDatabaseWrapper, state: DatabaseState) -> None:
    """Set the old tables aside, then delete their history. In this order, they are recognised at any moment."""
    tables = [name for name in state.tables if old_tables.aside_name(name) not in state.aside]
    if not state.is_foreign:
        # Their history was deleted before, so empty tables are ours, from an interrupted migration.
        tables = [name for name in tables if not old_tables.is_empty(connection, name)]
    with transaction.atomic(using=connection.alias) if connection.features.can_rollback_ddl else nullcontext():
        old_tables.set_aside(connection, tables)
        if state.is_foreign:
            MigrationRecorder(connection).migration_qs.filter(app=APP).delete()


def _undo_interrupted_migration(connection: BaseDatabaseWrapper, state: DatabaseState) -> None:
    """Drop our tables if a migration was interrupted and the database could not roll it back.

    Only if all of them are empty: otherwise the missing migrations are those of a later version.
    """
    if state.tables and all(old_tables.is_empty(connection, name) for name in state.tables):
        old_tables.drop(connection, state.tables)
        MigrationRecorder(connection).migration_qs.filter(app=APP).delete()


def remaining(connection: BaseDatabaseWrapper) -> dict[str, int]:
    """The number of rows of each kind that were not taken over."""
    return {kind: len(_old_table(connection, kind).remaining()) for kind in MODELS}


def drop_old(connection: BaseDatabaseWrapper) -> tuple[list[str], int]:
    """Drop the tables that were set aside, and delete the old submissions; returns the tables and the number."""
    state = find(connection)
    if state.is_foreign:
        raise CommandError("The upgrade is not complete. Nothing has been changed.")
    old = _old_table(connection, "session")
    submissions = 0
    for rows in old.batches(old.keys()):
        with transaction.atomic(using=connection.alias):
            submissions += conversations.forget(rows, old.key)
    old_tables.drop(connection, state.aside)
    return list(state.aside), submissions


def _old_table(connection: BaseDatabaseWrapper, kind: str, *, must_be_aside: bool = True) -> OldTable:
    return OldTable(connection, MODELS[kind]._meta.db_table, must_be_aside=must_be_aside)


@dataclass
class Copying:
    """Takes rows over.

    Attributes:
        templates: the operator's choices of templates, by old path.
        has_ours: our tables exist; otherwise tables with their names may be the old ones.
        is_dry_run: write nothing.
    """

    connection: BaseDatabaseWrapper
    templates: Mapping[str, str] | None = None
    has_ours: bool = True
    is_dry_run: bool = False
    _old: dict[str, OldTable] = field(default_factory=dict)
    _new_ids: dict[str, dict[str, Any]] = field(default_factory=dict)  # by kind and old key
    _ours: dict[str, dict[Any, Any]] = field(default_factory=dict)  # prompts, profiles and scopes by kind and new id
    _conversations: Counter[Any] = field(default_factory=Counter)  # by scope

    def run(self) -> Iterator[Report]:
        """Take over the remaining rows; yields a report for each model."""
        for kind in MODELS:
            old = self._old[kind] = _old_table(self.connection, kind, must_be_aside=self.has_ours)
            if not self.is_dry_run:
                old.prepare()
            self._new_ids[kind] = dict(old.new_ids())
            if kind != "session":
                self._ours[kind] = MODELS[kind]._default_manager.in_bulk() if self.has_ours else {}
        if self.has_ours:
            self._conversations.update(AIWorkflowSession.objects.values_list("scope_id", flat=True).iterator())
        ids, ours = self._new_ids, self._ours
        for kind in ("profile", "scope"):
            # Rows may have been deleted since they were taken over.
            ids[kind] = {key: new for key, new in ids[kind].items() if new in ours[kind]}
        yield self._take("prompt", configuration.prompt)
        names = self._new_names()
        yield self._take("profile", lambda row: configuration.profile(row, self.templates or {}, names))
        yield self._take("scope", lambda row: configuration.scope(row, ids["profile"]))
        sessions = Sessions(ids["profile"], ids["scope"], ours["profile"], ours["scope"])
        report = self._take("session", sessions.convert)
        report.notes += [(f"scope {key}", note) for key, note in hidden_scopes(ours["scope"], self._conversations)]
        yield report

    def _new_names(self) -> dict[str, str]:
        """New names of prompts, by the old slugs and numbers that no longer find them. Slugs go before numbers."""
        old = self._old["prompt"]
        by_key, by_slug = {}, {}
        for row in (row for rows in old.batches(old.keys()) for row in rows):
            prompt = self._ours["prompt"].get(self._new_ids["prompt"].get(as_text(row[old.key])))
            if prompt is not None:
                by_slug[str(row.get("slug") or "")] = prompt.slug
                if as_uuid(row[old.key]) is None:
                    by_key[as_text(row[old.key])] = prompt.slug
        return {name: slug for name, slug in {**by_key, **by_slug}.items() if name != slug}

    def _take(self, kind: str, convert: Callable[[Row], NewRow]) -> Report:
        old, report = self._old[kind], Report(kind, before=len(self._new_ids[kind]))
        for rows in old.batches(old.remaining()):
            # So that after an interruption each row is either taken over and marked, or neither.
            with transaction.atomic(using=self.connection.alias):
                for row in rows:
                    self._take_row(old, row, convert, report)
        return report

    def _take_row(self, old: OldTable, row: Row, convert: Callable[[Row], NewRow], report: Report) -> None:
        name = f"{row[old.key]} ({row['slug']})" if row.get("slug") else str(row[old.key])
        try:
            instance, notes = convert(row)
            with lookups_from(self._ours["prompt"].values()):
                if self.is_dry_run:
                    self._validate(instance)
                else:
                    notes += self._save(row, old, instance)
        except (NotTakenOver, ValidationError) as error:
            reason, to_do = (str(error), error.to_do) if isinstance(error, NotTakenOver) else _explain(error, row)
            report.left.append((name, f"{reason.removesuffix('.')}. To do: {to_do}"))
            return
        key = as_text(row[old.key])
        new_id = self._new_ids[report.kind][key] = key if self.is_dry_run else instance.pk
        if report.kind == "session":
            self._conversations[instance.scope_id] += 1
        else:
            self._ours[report.kind][new_id] = instance
        report.taken += 1
        report.notes += [(f"{report.kind} {name}", note) for note in notes]

    def _validate(self, instance: Model) -> None:
        relations = {each.name for each in instance._meta.fields if each.is_relation}
        instance.full_clean(exclude=relations, validate_unique=self.has_ours, validate_constraints=self.has_ours)

    def _save(self, row: Row, old: OldTable, instance: Any) -> list[str]:
        """Save an instance, with the old id if that is a number and free; returns notes."""
        rows = type(instance)._default_manager
        is_session = isinstance(instance, AIWorkflowSession)
        if is_session:
            # The old ids lead to the old conversations, so sessions get new ids.
            require_only_session(instance)
        elif as_uuid(row[old.key]) is None and not rows.filter(pk=row[old.key]).exists():
            instance.pk = row[old.key]
        instance.save(force_insert=True)
        notes = conversations.rewrite(row, old.key, instance) if is_session else []
        # What saving has set.
        times = {name: as_time(row.get(name)) for name in ("created_at", "updated_at") if hasattr(instance, name)}
        kept = {name: time for name, time in times.items() if time is not None}
        if is_session:
            kept["local_submission_id"] = instance.local_submission_id
        if kept:
            rows.filter(pk=instance.pk).update(**kept)
        old.mark(row, instance.pk)
        return notes


def _explain(error: ValidationError, row: Row) -> tuple[str, str]:
    """All messages of a validation error in one line, and the one thing to do about it."""
    if not hasattr(error, "error_dict"):
        return "; ".join(error.messages), DISCARD
    found = error.message_dict
    reason = "; ".join(f"{name}: {message}" for name, messages in found.items() for message in messages)
    if "base_filepath" in found:
        return reason, f"--template {row.get('base_filepath')}=<one of the templates here>"
    return reason, DISCARD if list(found) == [NON_FIELD_ERRORS] else CHANGE.format(name=next(iter(found)))
