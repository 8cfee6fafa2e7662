"""Two texts side by side, line by line, with what differs marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.template_utils import effective_config, load_template, pretty

# Comparing takes the square of the lines: a page must not wait for what nobody reads.
MOST_LINES = 1500


@dataclass(frozen=True, slots=True)
class Side:
    """A line of one of the texts."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Two lines that stand beside each other; a side is None where the other has a line more."""

    left: Side | None
    right: Side | None
    is_same: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows, and how many of them differ; no rows when the texts are too long."""

    rows: tuple[Row, ...]
    differing: int
    is_too_long: bool = False


def compare(left: str, right: str) -> Comparison:
    """The lines of two texts beside each other."""
    return _compare(left.splitlines(), right.splitlines(), left.splitlines(), right.splitlines())


def compare_configurations(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> Comparison:
    """Two configurations beside each other, without credentials; None counts as empty."""
    old, new = masked(left).splitlines(), masked(right).splitlines()
    # A line does not differ for being no longer the last of its object.
    return _compare(old, new, [line.rstrip(",") for line in old], [line.rstrip(",") for line in new])


def _compare(
    old: Sequence[str], new: Sequence[str], compared_old: Sequence[str], compared_new: Sequence[str]
) -> Comparison:
    if max(len(old), len(new)) > MOST_LINES:
        return Comparison((), 0, is_too_long=True)
    matcher = SequenceMatcher(None, compared_old, compared_new, autojunk=False)
    rows: list[Row] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        pairs = zip_longest(_sides(old, old_from, old_to), _sides(new, new_from, new_to))
        rows.extend(Row(one, other, kind == "equal") for one, other in pairs)
    return Comparison(tuple(rows), sum(not row.is_same for row in rows))


def _sides(lines: Sequence[str], start: int, end: int) -> list[Side]:
    return [Side(number + 1, lines[number]) for number in range(start, end)]


def template_and_effective(profile: AIWorkflowProfile) -> Comparison | None:
    """The template beside what comes of it with the patch, without credentials; None when the template cannot be read.

    A patch that cannot be read counts as none.
    """
    config = effective_config(profile.base_filepath, profile.content_patch)
    base = load_template(profile.base_filepath)
    if config is None or base is None:
        return None
    return compare_configurations(base, config)


def masked(config: Mapping[str, Any] | None) -> str:
    """A configuration for people: indented, without credentials; empty when there is none."""
    return pretty(redact(config, configured_secrets())) if config is not None else ""
