"""Shows JSON5 to people without its credentials."""

from __future__ import annotations

from dataclasses import dataclass

from openedx_ai_extensions.core.json5 import comments
from openedx_ai_extensions.core.redaction import configured_secrets, mentions_credential, redact
from openedx_ai_extensions.workflows.template_utils import JSON5DecodeError, parse_patch, pretty


@dataclass(frozen=True, slots=True)
class Readable:
    """A text for people.

    Attributes:
        text: the text.
        is_masked: credentials were removed; comments were removed too, because they may repeat them.
        is_unreadable: it is not JSON5, so credentials cannot be found; the text is empty.
    """

    text: str
    is_masked: bool = False
    is_unreadable: bool = False


def readable(json5_text: str) -> Readable:
    """A patch or template for people who may not see credentials."""
    try:
        value = parse_patch(json5_text)
    except JSON5DecodeError:
        return Readable("", is_unreadable=True)
    secrets = configured_secrets()
    shown = redact(value, secrets)
    is_harmless = redact(json5_text, secrets) == json5_text and not any(map(mentions_credential, comments(json5_text)))
    if shown == value and is_harmless:
        return Readable(json5_text)
    return Readable(pretty(shown), is_masked=True)
