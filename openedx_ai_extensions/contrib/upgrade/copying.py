"""Old rows taken over into our tables, or tried without writing anything; each outcome is told, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from openedx_ai_extensions.contrib.upgrade import configuration, conversations
from openedx_ai_extensions.contrib.upgrade.configuration import Left, New
from openedx_ai_extensions.contrib.upgrade.old_rows import OldTable, Row, as_uuid, text
from openedx_ai_extensions.contrib.upgrade.sessions import Sessions, refuse_second, unseen
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession, PromptTemplate
from openedx_ai_extensions.prompts.models import lookups_from

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
        notes, left: what sort of row and which, and what is not as it was, or why it was not taken over.
    """

    kind: str
    before: int = 0
    taken: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)

    def leave(self, name: str, reason: str, to_do: str) -> None:
        """This row was not taken over, and the one thing that would change it."""
        self.left.append((name, f"{reason.removesuffix('.')}. To do: {to_do}"))


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
        self._prompts: dict[Any, PromptTemplate] = {}
        self._new_ids: dict[str, dict[str, Any]] = {}
        self._profiles: dict[Any, AIWorkflowProfile] = {}
        self._scopes: dict[Any, AIWorkflowScope] = {}
        self._conversations: Counter[Any] = Counter()

    def run(self) -> Iterator[Report]:
        """Take over what is left; a report for each model, as it is done."""
        if not self._is_rehearsal:
            for old in self._old.values():
                old.prepare()
        if self._has_ours:
            self._prompts = {prompt.pk: prompt for prompt in PromptTemplate.objects.all()}
            self._profiles = {profile.pk: profile for profile in AIWorkflowProfile.objects.all()}
            self._scopes = {scope.pk: scope for scope in AIWorkflowScope.objects.all()}
            self._conversations.update(AIWorkflowSession.objects.values_list("scope_id", flat=True).iterator())
        self._new_ids = {kind: dict(old.taken()) for kind, old in self._old.items()}
        for kind, there in (("profile", self._profiles), ("scope", self._scopes)):
            # What somebody has deleted since is no parent for what was left.
            self._new_ids[kind] = {key: new for key, new in self._new_ids[kind].items() if new in there}
        yield self._take("prompt", configuration.prompt)
        names = self._new_names()
        yield self._take("profile", lambda row: configuration.profile(row, self._templates, names))
        yield self._take("scope", lambda row: configuration.scope(row, self._new_ids["profile"]))
        sessions = Sessions(self._new_ids["profile"], self._new_ids["scope"], self._profiles, self._scopes)
        report = self._take("session", sessions.new)
        report.notes += [(f"scope {key}", note) for key, note in unseen(self._scopes, self._conversations)]
        yield report

    def _new_names(self) -> dict[str, str]:
        """What prompts are called, by old slugs and numbers by which profiles would not find them any more."""
        old = self._old["prompt"]
        by_key, by_slug = {}, {}
        for row in (row for rows in old.batches(old.everything()) for row in rows):
            prompt = self._prompts.get(self._new_ids["prompt"].get(text(row[old.key])))
            if prompt is not None:
                by_slug[str(row.get("slug") or "")] = prompt.slug
                if as_uuid(row[old.key]) is None:
                    by_key[text(row[old.key])] = prompt.slug
        return {name: slug for name, slug in {**by_key, **by_slug}.items() if name != slug}

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
            with lookups_from(self._prompts.values()):
                identifier = self._try(row, old, new) if self._is_rehearsal else self._save(row, old, new)
        except Left as reason:
            report.leave(name, str(reason), reason.to_do)
            return
        except ValidationError as error:
            report.leave(name, configuration.problems(error), configuration.to_do(error, row))
            return
        self._remember(report.kind, text(row[old.key]), identifier, new.instance)
        report.taken += 1
        report.notes += [(f"{report.kind} {name}", note) for note in new.notes]

    def _remember(self, kind: str, key: str, identifier: Any, instance: Any) -> None:
        self._new_ids[kind][key] = identifier
        if kind == "prompt":
            self._prompts[identifier] = instance
        elif kind == "profile":
            self._profiles[identifier] = instance
        elif kind == "scope":
            self._scopes[identifier] = instance
        else:
            self._conversations[instance.scope_id] += 1

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
