"""Old rows taken over into our tables, or tried without writing anything; each outcome is told, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowSession, PromptTemplate
from openedx_ai_extensions.prompts.models import lookups_from
from openedx_ai_extensions.upgrade import configuration, conversations
from openedx_ai_extensions.upgrade.configuration import Left, New
from openedx_ai_extensions.upgrade.old_rows import OldTable, Row, as_uuid, text
from openedx_ai_extensions.upgrade.sessions import Sessions, refuse_second

MODELS: Mapping[str, str] = {
    "prompt": "prompttemplate",
    "profile": "aiworkflowprofile",
    "scope": "aiworkflowscope",
    "session": "aiworkflowsession",
}


@dataclass(slots=True)
class Report:
    """What became of one model's rows.

    Attributes:
        kind: ``prompt``, ``profile``, ``scope`` or ``session``.
        before: rows that were taken over earlier.
        taken: rows taken over now, or that would be.
        notes, left: the row, and what is not as it was, or why it was not taken over.
    """

    kind: str
    before: int = 0
    taken: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


class Copying:
    """Takes rows over, prompts first: what refers comes after what it refers to.

    Args:
        templates: what the operator said of templates, by old path.
        has_ours: are our tables there? Else the old ones may have their names.
        is_rehearsal: only say what would be done.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        templates: Mapping[str, str] | None = None,
        *,
        has_ours: bool = True,
        is_rehearsal: bool = False,
    ) -> None:
        self._connection = connection
        self._templates = templates or {}
        self._has_ours = has_ours
        self._is_rehearsal = is_rehearsal
        self._old = {kind: OldTable(connection, model, must_be_aside=has_ours) for kind, model in MODELS.items()}
        self._prompts: list[PromptTemplate] = []
        self._new_ids: dict[str, dict[str, Any]] = {}
        self._profiles: dict[Any, AIWorkflowProfile] = {}

    def run(self) -> Iterator[Report]:
        """Take over what is left; a report for each model, as it is done."""
        if not self._is_rehearsal:
            for old in self._old.values():
                old.prepare()
        if self._has_ours:
            self._prompts = list(PromptTemplate.objects.all())
            self._profiles = {profile.pk: profile for profile in AIWorkflowProfile.objects.all()}
        self._new_ids = {kind: dict(old.taken()) for kind, old in self._old.items()}
        yield self._take("prompt", configuration.prompt)
        yield self._take("profile", lambda row: configuration.profile(row, self._templates))
        yield self._take("scope", lambda row: configuration.scope(row, self._new_ids["profile"]))
        sessions = Sessions(self._new_ids["profile"], self._new_ids["scope"], self._profiles)
        yield self._take("session", sessions.new)

    def _take(self, kind: str, make: Callable[[Row], New]) -> Report:
        old, report = self._old[kind], Report(kind, before=len(self._new_ids[kind]))
        for rows in old.batches(old.left()):
            # All or nothing: whoever is cut off finds each row either taken over and marked, or neither.
            with transaction.atomic(using=self._connection.alias):
                for row in rows:
                    self._take_row(old, row, make, report)
        return report

    def _take_row(self, old: OldTable, row: Row, make: Callable[[Row], New], report: Report) -> None:
        name = f"{row[old.key]} ({row['slug']})" if row.get("slug") else str(row[old.key])
        try:
            new = make(row)
            with lookups_from(self._prompts):
                identifier = self._try(row, old, new) if self._is_rehearsal else self._save(row, old, new)
        except Left as reason:
            report.left.append((name, str(reason)))
            return
        except ValidationError as error:
            report.left.append((name, configuration.problems(error)))
            return
        self._remember(report.kind, text(row[old.key]), identifier, new.instance)
        report.taken += 1
        report.notes += [(name, note) for note in new.notes]

    def _remember(self, kind: str, key: str, identifier: Any, instance: Any) -> None:
        self._new_ids[kind][key] = identifier
        if kind == "prompt":
            self._prompts.append(instance)
        elif kind == "profile":
            self._profiles[identifier] = instance

    def _try(self, row: Row, old: OldTable, new: New) -> str:
        """As ``_save``, writing nothing."""
        configuration.check(new.instance, is_unique=self._has_ours)
        return text(row[old.key])

    def _save(self, row: Row, old: OldTable, new: New) -> Any:
        """Returns the new row's id: the old one's, where it is a number that nobody has yet."""
        instance = new.instance
        rows = type(instance)._default_manager
        if isinstance(instance, AIWorkflowSession):
            # Their old numbers lead to conversations as they were, so these get numbers of their own.
            refuse_second(instance)
        elif as_uuid(row[old.key]) is None and not rows.filter(pk=row[old.key]).exists():
            instance.pk = row[old.key]
        instance.save(force_insert=True)
        kept = dict(new.kept)
        if isinstance(instance, AIWorkflowSession):
            new.notes += conversations.rewrite(row, old.key, instance)
            kept["local_submission_id"] = instance.local_submission_id
        if kept:
            rows.filter(pk=instance.pk).update(**kept)
        old.mark(row, instance.pk)
        return instance.pk
