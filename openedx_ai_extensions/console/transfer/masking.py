"""Credentials that somebody may have put into a text: replaced in files and in what is shown."""

from __future__ import annotations

from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, redact
from openedx_ai_extensions.workflows.readable_errors import readable

# The texts that people write.
TEXTS = frozenset({"description", "content_patch", "body"})


def masked(name: str, text: str) -> str:
    """A field's text without credentials; the text itself when it has none."""
    if name not in TEXTS or not text.strip():
        return text
    if name != "content_patch":
        return str(redact(text, configured_secrets()))
    shown = readable(text)
    if shown.is_unreadable:
        return REDACTED  # nobody can tell what in it is a credential
    return f"{shown.text}\n" if shown.is_masked else text


def is_masked(text: object) -> bool:
    return isinstance(text, str) and REDACTED in text
