"""A plan in words, for terminals and pages."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from django.utils.translation import gettext as _

from openedx_ai_extensions.console.transfer.importing import Change, Difference, ImportStep, Plan


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
