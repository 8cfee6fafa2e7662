"""Configurations fit to be shown: credentials are replaced, everything else is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from openedx_ai_extensions import conf

REDACTED = "[REDACTED]"

# Shorter secrets ("none", "test") are placeholders of local servers: looked for inside a text they would hide it all.
MIN_SECRET_INSIDE_TEXT = 8

_KEY_OWNERS = (
    "access|account|admin|anthropic|api|app|application|auth|azure|bearer|cerebras|client|cohere|databricks|deepseek|"
    "encryption|fireworks|gemini|google|groq|hf|huggingface|license|master|mistral|nvidia|openai|openrouter|perplexity|"
    "private|replicate|secret|service|session|shared|signing|ssh|storage|subscription|together|voyage|watsonx|xai"
)
# Names are compared with case, accents of spelling and separators removed: "API-Key" and "apiKey" are "apikey".
_ALWAYS_SECRET = re.compile(r"passw|passphrase|passcode|pwd|secret(?!ar[yi])")
_SECRET_TEXT = re.compile(
    rf"(?:{_KEY_OWNERS})keys?|credential|authori[sz]ation|auth$|authheader|bearer|cookie|connectionstring|^dsn$|jwt$"
    r"|token$|(?:access|api|auth|bearer|personal|refresh|security|session)tokens$"
)
_TOKEN_COUNT = re.compile(r"^(?:max|min|n|num|total|prompt|completion|per)\w*token$")
# Values that are credentials whatever they are called: header values, keys of a known form, URLs with a password.
_SECRET_VALUE = re.compile(
    r"^\s*(?:Bearer|Basic)\s+\S{16,}\s*$|\bsk-[A-Za-z0-9_-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@",
    re.IGNORECASE,
)
_HEADER_SCHEME = re.compile(r"^\s*(?:Bearer|Basic)\s+", re.IGNORECASE)


def names_credential(key: str, value: Any = "") -> bool:
    """Does this key, with this value, name a credential? Counts and switches (``max_tokens``) do not."""
    # The second of two tokens ("token_2") is one too.
    name = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", key).casefold()).rstrip("0123456789")
    if value is None or isinstance(value, bool):
        return False
    if _ALWAYS_SECRET.search(name):
        return True
    is_count = isinstance(value, int | float) and name.endswith(("token", "tokens"))
    if is_count or _TOKEN_COUNT.search(name):
        return False
    return bool(_SECRET_TEXT.search(name))


def redact(value: Any, secrets: Collection[str]) -> Any:
    """A copy of a JSON-like value without credentials; the value itself is not touched.

    Args:
        value: dicts, lists and scalars at any depth.
        secrets: texts that must not appear, usually ``configured_secrets()``.

    Returns:
        The same shape, with ``REDACTED`` for what a credential's name holds and for every text that is, or contains,
        a secret.
    """
    if isinstance(value, Mapping):
        return {
            redact(key, secrets): REDACTED if _hides(key, item) else redact(item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(item, secrets) for item in value]
    if isinstance(value, str) and _holds_secret(value, secrets):
        return REDACTED
    return value


def configured_secrets() -> frozenset[str]:
    """Every credential in the site's provider settings, to recognise copies of it elsewhere."""
    return frozenset(_secrets_in(conf.providers()))


def _hides(key: Any, value: Any) -> bool:
    return value != "" and names_credential(str(key), value)


def _holds_secret(text: str, secrets: Collection[str]) -> bool:
    if text in secrets or _SECRET_VALUE.search(text):
        return True
    return any(secret in text for secret in secrets if len(secret) >= MIN_SECRET_INSIDE_TEXT)


def _secrets_in(value: Any, under_credential: bool = False) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            # A service account's dict also holds public parts (its type, URLs): only its own secret names count.
            yield from _secrets_in(item, names_credential(str(key), item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets_in(item, under_credential)
    elif isinstance(value, str) and value.strip() and under_credential:
        yield value
        yield _HEADER_SCHEME.sub("", value)
