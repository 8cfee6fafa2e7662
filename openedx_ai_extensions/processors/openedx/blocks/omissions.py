"""Why the text of a block omits something. For course staff; learners do not see it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _
from opaque_keys.edx.keys import UsageKey


class OmissionReason(models.TextChoices):
    """The reasons, with messages for people."""

    ANSWERS = "answers", _("This person cannot see its answers, hints and explanations.")
    BROKEN = "broken", _("Its content is damaged. Only what could be read safely was read.")
    CLOSED = "closed", _("This person cannot see it or its contents.")
    EMPTY = "empty", _("It contains no text.")
    EXAM = "exam", _("It is in an exam, or in a place where AI is paused.")
    HIDDEN = "hidden", _("A part of it is hidden on the page. That part was not read.")
    NOT_SELECTED = "not_selected", _("The profile does not select this kind of block.")
    PERSONAL = "personal", _("Each person sees a different part of it, and this person's part is not known.")
    STAFF = "staff", _("It is for course staff only.")
    TOO_LONG = "too_long", _("It is too long or nested too deep. Only its beginning was read.")
    TRIMMED = "trimmed", _("The text would be longer than allowed. All or part of it was left out.")
    UNKNOWN = "unknown", _("No field of this kind of block is known to contain text for learners.")


@dataclass(frozen=True, slots=True)
class Omission:
    """A block that is omitted from the course text, completely or partly, depending on the reason."""

    usage_key: UsageKey
    category: str
    reason: OmissionReason


@dataclass(frozen=True, slots=True)
class BlockText:
    """The text that a model reads at a location, and its omissions in reading order."""

    text: str
    omissions: tuple[Omission, ...]
