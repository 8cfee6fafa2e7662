"""Applies the entries of a file: all of them, or none.

A dry run does the same in a transaction that is rolled back. So it finds every error, although entries may refer to
others of the same file.
"""

from __future__ import annotations

import difflib
import enum
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.console.transfer.entries import EntryKind, TransferEntry, is_masked, masked, values_of
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate

MAX_ERRORS = 50
ScopeKey = tuple[str, ...]


class Change(enum.StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that changes, without credentials."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ImportStep:
    """What one entry changes."""

    kind: EntryKind
    change: Change
    title: str
    differences: tuple[Difference, ...] = ()
    obj: Model | None = None

    @property
    def name(self) -> str:
        return f"{self.kind.label} {self.title}"


@dataclass(slots=True)
class Plan:
    """What an import does, or did; if there are errors, it did nothing."""

    steps: list[ImportStep] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Equal for plans that do the same."""
        about = [[step.kind, step.change, step.title, [[d.name, d.before, d.after] for d in step.differences]]
                 for step in self.steps]  # fmt: skip
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()


May = Callable[[EntryKind, Change], bool]


def run_import(
    entries: Sequence[TransferEntry], *, dry_run: bool, user: Any = None, may: May = lambda _kind, _change: True
) -> Plan:
    """Create and change objects.

    Args:
        entries: as returned by ``read``.
        dry_run: roll everything back at the end.
        user: for the history of profiles; None on the command line.
        may: whether the user is allowed to do this.
    """
    importer = _Importer(entries, user, may)
    plan = Plan()
    database = router.db_for_write(AIWorkflowScope)
    with transaction.atomic(using=database):
        for entry in entries:
            if len(plan.errors) >= MAX_ERRORS:
                break
            try:
                plan.steps.append(importer.import_entry(entry))
            except ValidationError as error:
                plan.errors += [f"{entry.where}: {text}" for text in _texts(error)]
        transaction.set_rollback(dry_run or bool(plan.errors), using=database)
    return plan


class _Importer:
    """Knows the objects that exist, including those imported before."""

    def __init__(self, entries: Sequence[TransferEntry], user: Any, may: May) -> None:
        self.user = user
        self.may = may
        self.seen: set[tuple[EntryKind, str]] = set()
        self.prompts = {prompt.slug: prompt for prompt in PromptTemplate.objects.all()}
        self.profiles = {profile.slug: profile for profile in AIWorkflowProfile.objects.all()}
        slugs = {entry.values["profile"] for entry in entries if entry.kind == EntryKind.SCOPES}
        # Several scopes may have the same key: each entry stands for one of them, the oldest first.
        self.scopes: defaultdict[ScopeKey, list[AIWorkflowScope]] = defaultdict(list)
        if slugs:
            for scope in AIWorkflowScope.objects.select_related("profile").order_by("pk"):
                if scope.profile.slug in slugs:
                    self.scopes[_scope_key(values_of(EntryKind.SCOPES, scope))].append(scope)

    def import_entry(self, entry: TransferEntry) -> ImportStep:
        """Raises ValidationError if the entry cannot be imported, or the user may not import it."""
        values = dict(entry.values)
        if entry.kind == EntryKind.SCOPES:
            return self._scope(values)
        slug, identifier = values["slug"], values.pop("uuid", None)
        if (entry.kind, slug) in self.seen:
            raise ValidationError(_("slug: another entry has it already."))
        self.seen.add((entry.kind, slug))
        if entry.kind == EntryKind.PROFILES:
            profile = self.profiles.setdefault(slug, AIWorkflowProfile())
            return self._apply(entry.kind, profile, values, slug, changed_by=self.user)
        # Profiles may refer to a prompt by its UUID; an existing prompt keeps its own.
        new = PromptTemplate(**({"uuid": identifier} if identifier else {}))
        return self._apply(entry.kind, self.prompts.setdefault(slug, new), values, slug)

    def _scope(self, values: dict[str, Any]) -> ImportStep:
        profile = self.profiles.get(values.pop("profile"))
        if profile is None or profile.pk is None:
            raise ValidationError(_("profile: there is no such profile, neither here nor in the file."))
        values["location_regex"] = values["location_regex"].strip()
        values["course_id"] = _course_id(values["course_id"].strip())
        alike = self.scopes[_scope_key({**values, "profile": profile.slug})]
        scope = alike.pop(0) if alike else AIWorkflowScope(profile=profile)
        parts = (values["course_id"] or _("every course"), values["location_regex"], values["ui_slot_selector_id"],
                 values["service_variant"])  # fmt: skip
        title = f"{profile.slug}: {' · '.join(filter(None, parts))}"
        return self._apply(EntryKind.SCOPES, scope, {**values, "course_id": values["course_id"] or None}, title)

    def _apply(self, kind: EntryKind, obj: Any, values: Mapping[str, Any], title: str, **saving: Any) -> ImportStep:
        """Give an object these values and save it.

        A value is not even parsed or validated unless the user may save it.

        Args:
            saving: arguments for ``save``.

        Raises:
            ValidationError: a value is not valid, or not allowed for this user; or a credential in it is masked, and
                it is not the present value with the same credential masked.
        """
        is_new = obj.pk is None
        changed = [name for name, value in values.items() if is_new or _plain(getattr(obj, name)) != _plain(value)]
        if not changed:
            return ImportStep(kind, Change.UNCHANGED, title, obj=obj)
        change = Change.CREATED if is_new else Change.CHANGED
        is_allowed = self.may(kind, change)
        differences = []
        for name in changed:
            before, after = _plain(getattr(obj, name)), _plain(values[name])
            if is_masked(after):
                if is_new or masked(name, before) != after:
                    text = _("{name}: a credential was replaced by [REDACTED] in the export, so its value is unknown "
                             "here. Write it into the setting AI_EXTENSIONS and remove it from the file.")  # fmt: skip
                    raise ValidationError(text.format(name=name))
                continue
            if not is_allowed:
                text = _("You do not have permission for this: {kind}, {change}.")
                raise ValidationError(text.format(kind=kind.label, change=change))
            setattr(obj, name, values[name])
            shown = "" if is_new else masked(name, before)
            differences.append(Difference(name, shown, masked(name, after)))
        if not differences:
            return ImportStep(kind, Change.UNCHANGED, title, obj=obj)
        obj.save(**saving)
        return ImportStep(kind, change, title, tuple(differences), obj)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value or "")


def _scope_key(values: dict[str, Any]) -> ScopeKey:
    names = ("profile", "course_id", "location_regex", "ui_slot_selector_id", "service_variant")
    return tuple(str(values[name] or "") for name in names)


def _course_id(text: str) -> str:
    try:
        return str(CourseKey.from_string(text)) if text else ""
    except InvalidKeyError:
        raise ValidationError(_("course_id: “{text}” is not a course id.").format(text=text)) from None


def _texts(error: ValidationError) -> Iterator[str]:
    if not hasattr(error, "error_dict"):
        yield from error.messages
        return
    for name, messages in error.message_dict.items():
        for message in messages:
            yield message if name == "__all__" else f"{name}: {message}"


def summary(plan: Plan) -> str:
    """The number of changes of each kind."""
    counts = {change.value: 0 for change in Change} | Counter(step.change.value for step in plan.steps)
    if counts["created"] or counts["changed"]:
        return _("{created} created, {changed} changed, {unchanged} unchanged.").format(**counts)
    return _("Nothing changes: {count} entries are up to date.").format(count=counts["unchanged"])


def diff(step: ImportStep) -> str:
    """What changes, line by line: removed lines begin with a minus, added lines with a plus."""
    return "\n".join(line for difference in step.differences for line in _lines(step, difference))


def _lines(step: ImportStep, difference: Difference) -> Iterator[str]:
    name, before, after = difference.name, difference.before, difference.after
    if before == after:
        if step.change == Change.CHANGED:
            yield _("{name}: a credential changes").format(name=name)
        return
    old, new = before.splitlines(), after.splitlines()
    if len(old) <= 1 and len(new) <= 1:
        yield from (f"- {name}: {line}" for line in old)
        yield from (f"+ {name}: {line}" for line in new)
        return
    yield f"  {name}:"
    for number, line in enumerate(list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]):
        if not line.startswith("@@"):
            yield f"{line[0]}   {line[1:]}"
        elif number:
            yield "    …"
