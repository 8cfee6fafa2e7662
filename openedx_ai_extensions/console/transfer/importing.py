"""Doing what a file of configuration says: all of it, or nothing.

A rehearsal does everything that the real thing does, within a transaction that is rolled back. So it knows all errors:
entries may refer to others of the same file.
"""

from __future__ import annotations

import difflib
import enum
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.console.transfer.kinds import NAMES, EntryKind, TransferEntry, is_masked, masked
from openedx_ai_extensions.console.transfer.writing import scope_values
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate

MAX_ERRORS = 50  # whoever has as many mends those first
ScopeKey = tuple[str, str, str, str, str]


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
    """What becomes of one entry."""

    kind: EntryKind
    change: Change
    title: str
    differences: tuple[Difference, ...] = ()
    obj: Model | None = None

    @property
    def name(self) -> str:
        return f"{NAMES[self.kind]} {self.title}"


@dataclass(slots=True)
class Plan:
    """What an import does, or did; nothing was done when there are errors."""

    steps: list[ImportStep] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def of(self, change: Change) -> list[ImportStep]:
        return [step for step in self.steps if step.change == change]

    @property
    def fingerprint(self) -> str:
        """The same for a plan that does the same."""
        about = [[step.kind, step.change, step.title, [[d.name, d.before, d.after] for d in step.differences]]
                 for step in self.steps]  # fmt: skip
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()


class _Refused(Exception):
    """An entry can't be imported: why, in words."""


class _Forbidden(Exception):
    """Whoever asks may not do this."""


May = Callable[[EntryKind, Change], bool]


def run_import(
    entries: Sequence[TransferEntry], *, dry_run: bool, user: Any = None, may: May = lambda _kind, _change: True
) -> Plan:
    """Create and change what the entries say.

    Args:
        entries: as ``read`` gives them.
        dry_run: undo it all in the end.
        user: the person who does it, for the history; None when it is no person.
        may: is this change allowed to whoever asks?
    """
    importer = _Importer(entries, user, may)
    plan = Plan()
    with transaction.atomic(using=router.db_for_write(AIWorkflowScope)):
        for entry in entries:
            if len(plan.errors) >= MAX_ERRORS:
                break
            try:
                step = importer.import_entry(entry)
            except _Refused as error:
                plan.errors.append(f"{entry.where}: {error}")
            except ValidationError as error:
                plan.errors += [f"{entry.where}: {text}" for text in _texts(error)]
            except _Forbidden as error:
                plan.errors.append(
                    _("{where}: you may not do this: {kind}, {change}.").format(
                        where=entry.where, kind=NAMES[entry.kind], change=error
                    )
                )
            else:
                plan.steps.append(step)
        transaction.set_rollback(dry_run or bool(plan.errors), using=router.db_for_write(AIWorkflowScope))
    return plan


class _Importer:
    """What is there already, and what came since."""

    def __init__(self, entries: Sequence[TransferEntry], user: Any, may: May) -> None:
        self.user = user
        self.may = may
        self.seen: set[tuple[EntryKind, str]] = set()
        self.prompts = {prompt.slug: prompt for prompt in PromptTemplate.objects.all()}
        self.profiles = {profile.slug: profile for profile in AIWorkflowProfile.objects.all()}
        slugs = {entry.values["profile"] for entry in entries if entry.kind == EntryKind.SCOPES}
        # Several may be alike: each entry stands for one of them, the oldest first.
        self.scopes: defaultdict[ScopeKey, list[AIWorkflowScope]] = defaultdict(list)
        if slugs:
            for scope in AIWorkflowScope.objects.select_related("profile").order_by("pk"):
                if scope.profile.slug in slugs:
                    self.scopes[_scope_key(scope_values(scope))].append(scope)

    def import_entry(self, entry: TransferEntry) -> ImportStep:
        """Raises _Refused, _Forbidden or ValidationError."""
        match entry.kind:
            case EntryKind.PROMPTS:
                return self._prompt(dict(entry.values))
            case EntryKind.PROFILES:
                return self._profile(dict(entry.values))
            case EntryKind.SCOPES:
                return self._scope(dict(entry.values))

    def _prompt(self, values: dict[str, Any]) -> ImportStep:
        prompt, identifier = self.prompts.get(values["slug"]), values.pop("uuid")
        self._require_once(EntryKind.PROMPTS, values["slug"])
        if prompt is None:
            # Profiles may name a prompt by it; a prompt that is there keeps its own.
            prompt = PromptTemplate(**({"uuid": identifier} if identifier else {}))
        step = self._applied(EntryKind.PROMPTS, prompt, values, values["slug"])
        if step.change != Change.UNCHANGED:
            prompt.save()
            self.prompts[prompt.slug] = prompt
        return step

    def _profile(self, values: dict[str, Any]) -> ImportStep:
        self._require_once(EntryKind.PROFILES, values["slug"])
        profile = self.profiles.get(values["slug"]) or AIWorkflowProfile()
        step = self._applied(EntryKind.PROFILES, profile, values, values["slug"])
        if step.change != Change.UNCHANGED:
            profile.save(changed_by=self.user)
            self.profiles[profile.slug] = profile
        return step

    def _scope(self, values: dict[str, Any]) -> ImportStep:
        profile = self.profiles.get(values.pop("profile"))
        if profile is None or profile.pk is None:
            raise _Refused(_("profile: there is no such profile, neither here nor in the file."))
        values["location_regex"] = values["location_regex"].strip()
        values["course_id"] = _course_id(values["course_id"].strip())
        alike = self.scopes[_scope_key({**values, "profile": profile.slug})]
        scope = alike.pop(0) if alike else AIWorkflowScope(profile=profile)
        place = (values["course_id"] or _("every course"), values["location_regex"], values["ui_slot_selector_id"],
                 values["service_variant"])  # fmt: skip
        title = f"{profile.slug}: {' · '.join(filter(None, place))}"
        changes = {**values, "course_id": values["course_id"] or None}
        step = self._applied(EntryKind.SCOPES, scope, changes, title)
        if step.change != Change.UNCHANGED:
            scope.save()
        return step

    def _require_once(self, kind: EntryKind, slug: str) -> None:
        if (kind, slug) in self.seen:
            raise _Refused(_("slug: another entry has it already."))
        self.seen.add((kind, slug))

    def _applied(self, kind: EntryKind, obj: Any, values: dict[str, Any], title: str) -> ImportStep:
        """Give an object these values; not yet saved.

        Nothing is made of a value, neither parsed nor imported, unless whoever asks may save it.

        Raises:
            _Forbidden: that is not so.
            _Refused: a value has a credential replaced, and is not the present one with the same replaced.
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
                    raise _Refused(
                        _(
                            "{name}: a credential was replaced by [REDACTED] when this was exported, so nobody knows "
                            "it here. Write it in, or better into the setting AI_EXTENSIONS, and take it out of here."
                        ).format(name=name)
                    )
                continue
            if not is_allowed:
                raise _Forbidden(change)
            setattr(obj, name, values[name])
            shown = "" if is_new else masked(name, before)
            differences.append(Difference(name, shown, masked(name, after)))
        return ImportStep(kind, change if differences else Change.UNCHANGED, title, tuple(differences), obj)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value or "")


def _scope_key(values: dict[str, Any]) -> ScopeKey:
    names = ("profile", "course_id", "location_regex", "ui_slot_selector_id", "service_variant")
    profile, course, pattern, slot, variant = (str(values[name] or "") for name in names)
    return profile, course, pattern, slot, variant


def _course_id(text: str) -> str:
    try:
        return str(CourseKey.from_string(text)) if text else ""
    except InvalidKeyError:
        raise _Refused(_("course_id: “{text}” is not a course id.").format(text=text)) from None


def _texts(error: ValidationError) -> Iterator[str]:
    if not hasattr(error, "error_dict"):
        yield from error.messages
        return
    for name, messages in error.message_dict.items():
        for message in messages:
            yield message if name == "__all__" else f"{name}: {message}"


def summary(plan: Plan) -> str:
    """How many of each."""
    counts = {change: len(plan.of(change)) for change in Change}
    if not counts[Change.CREATED] and not counts[Change.CHANGED]:
        return _("Nothing changes: {count} entries are as they should be.").format(count=counts[Change.UNCHANGED])
    return _("{created} created, {changed} changed, {unchanged} unchanged.").format(
        created=counts[Change.CREATED], changed=counts[Change.CHANGED], unchanged=counts[Change.UNCHANGED]
    )


def diff(step: ImportStep) -> str:
    """What changes, line by line: less what goes, plus what comes."""
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
