"""What is wrong with a profile that is being written, each with its place in the patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.json5_positions import Place, nearest, positions
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.redundant_keys import redundant_keys
from openedx_ai_extensions.workflows.template_utils import JSON5DecodeError, parse_patch


@dataclass(frozen=True, slots=True)
class ProfileFinding:
    """Something to mend or to know.

    Attributes:
        kind: ``error`` refuses the save, ``warning`` does not, a ``note`` is about what is superfluous.
        message: what is wrong and what is allowed.
        where: the JSON path, or the name of the field; empty for the whole.
        place: line and column in the patch; None when nothing of it is there.
    """

    kind: str
    message: str
    where: str = ""
    place: Place | None = None

    @property
    def kind_in_words(self) -> str:
        return {"error": _("Error"), "warning": _("Warning")}.get(self.kind) or _("Note")

    @property
    def line(self) -> int | None:
        return self.place[0] if self.place else None

    @property
    def column(self) -> int | None:
        return self.place[1] if self.place else None


def findings(profile: AIWorkflowProfile) -> list[ProfileFinding]:
    """What saving would say of template and patch, and which keys of the patch change nothing."""
    patch = profile.content_patch
    try:
        parse_patch(patch)
    except JSON5DecodeError as error:
        place = None if error.lineno is None else (error.lineno, error.colno or 1)
        return [ProfileFinding("error", error.reason, place=place)]
    places = positions(patch) if patch.strip() else {}
    found = [_finding(problem, places) for problem in profile.problems(thorough=True)] if profile.base_filepath else []
    notes = redundant_keys(profile.base_filepath, patch)
    return [*found, *(_finding(problem, places, "note") for problem in notes)]


def _finding(problem: Problem, places: Mapping[str, Place], kind: str = "") -> ProfileFinding:
    kind = kind or ("error" if problem.severity is Severity.ERROR else "warning")
    where = "" if problem.path == "$" else problem.path
    return ProfileFinding(kind, problem.message, where, nearest(problem.path, places))


def summary(found: Sequence[ProfileFinding]) -> str:
    """How many of what, in one sentence to be read aloud."""
    counts = {kind: sum(finding.kind == kind for finding in found) for kind in ("error", "warning", "note")}
    parts = [
        ngettext("{count} error", "{count} errors", counts["error"]).format(count=counts["error"]),
        ngettext("{count} warning", "{count} warnings", counts["warning"]).format(count=counts["warning"]),
        ngettext("{count} note", "{count} notes", counts["note"]).format(count=counts["note"]),
    ]
    said = [part for part, count in zip(parts, counts.values(), strict=True) if count]
    return ", ".join(said) + "." if said else _("Everything is in order.")
