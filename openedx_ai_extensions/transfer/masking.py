"""Credentials that somebody may have put into a text: replaced in files and in what is shown."""

from __future__ import annotations

import json

from openedx_ai_extensions.workflows.redaction import REDACTED, configured_secrets, redact
from openedx_ai_extensions.workflows.template_utils import parse_json5_string

# The texts that people write.
TEXTS = frozenset({"description", "content_patch", "body"})


def masked(name: str, text: str) -> str:
    """A field's text without credentials; the text itself when it has none."""
    if name not in TEXTS or not text.strip():
        return text
    secrets = configured_secrets()
    as_text = str(redact(text, secrets))
    if name != "content_patch":
        return as_text
    try:
        patch = parse_json5_string(text)
    except ValueError:
        return as_text
    shown = redact(patch, secrets)
    if shown == patch and as_text == text:
        return text
    # Comments may repeat a credential too.
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def is_masked(text: object) -> bool:
    return isinstance(text, str) and REDACTED in text
