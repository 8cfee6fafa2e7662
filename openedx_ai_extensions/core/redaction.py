"""Masks credentials in configurations and texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.credential_forms import SECRET_VALUE

REDACTED = "[REDACTED]"

# Shorter secrets, such as "none" and "test", are placeholders; masking them inside texts would hide ordinary words.
MIN_SECRET_INSIDE_TEXT = 8

_KEY_OWNERS = (
    "access|account|admin|anthropic|api|app|application|auth|azure|bearer|cerebras|client|cohere|databricks|deepseek|"
    "encryption|fireworks|gemini|google|groq|hf|huggingface|license|master|mistral|nvidia|openai|openrouter|perplexity|"
    "private|replicate|secret|service|session|shared|signing|ssh|storage|subscription|together|voyage|watsonx|xai"
)
# Names are compared without case and separators: "API-Key" and "apiKey" are "apikey".
_ALWAYS_SECRET = re.compile(r"passw|passphrase|passcode|pwd|secret(?!ar[yi])")
_SECRET_TEXT = re.compile(
    rf"(?:{_KEY_OWNERS})keys?|credential|authori[sz]ation|auth$|authheader|bearer|cookie|connectionstring|^dsn$|jwt$"
    r"|token$|(?:access|api|auth|bearer|personal|refresh|security|session)tokens$"
)
_TOKEN_COUNT = re.compile(r"^(?:max|min|n|num|total|prompt|completion|per)\w*token$")
# A credential in prose: its name, a sign, a value.
_ASSIGNED = re.compile(r"([A-Za-z][\w.-]{0,60})[\"'`]?\s*(?:[:=]|\bis\b)\s*[\"'`]?([^\s\"'`,;{}\[\]]{4,})")
_WORDS = re.compile(r"(?:true|false|null|none|required|optional|here|[A-Z_]+|\[REDACTED\])\.?", re.IGNORECASE)
_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_UNUSUAL_HEADER = re.compile(r"(?=[^\s]*[0-9])[^\s]{8,}")
_HEADERS = re.compile(r"^(?:extra|default|http|request)?headers$")
_PLAIN_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
_HEADER_SCHEME = re.compile(r"^\s*(?:Bearer|Basic)\s+", re.IGNORECASE)


def names_credential(key: str, value: Any = "") -> bool:
    """Does this key, with this value, name a credential? Counts and switches (``max_tokens``) do not."""
    # A number at the end, as in "token_2", is ignored.
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
    """A copy of a JSON-like value with credentials masked.

    Args:
        value: dicts, lists and scalars at any depth.
        secrets: texts that must not appear, usually ``configured_secrets()``.

    Returns:
        The same structure, with ``REDACTED`` for the values of credential names, and for every text that is or
        contains a secret.
    """
    if isinstance(value, Mapping):
        return {
            redact(key, secrets): REDACTED if item != "" and names_credential(str(key), item) else redact(item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(item, secrets) for item in value]
    if isinstance(value, str) and _holds_secret(value, secrets):
        return REDACTED
    return value


def masked_text(text: str, secrets: Collection[str]) -> str:
    """The text with each credential replaced by ``REDACTED``."""
    for secret in sorted(filter(_is_unusual, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return SECRET_VALUE.sub(REDACTED, text)


def mentions_credential(text: str) -> bool:
    """Does a comment contain a credential: its name and its value?"""
    return any(
        names_credential(found[1], found[2]) and not _WORDS.fullmatch(found[2]) for found in _ASSIGNED.finditer(text)
    )


def may_hold_credential(text: str) -> bool:
    """Can a text that does not parse contain a credential? True if uncertain."""
    is_named = any(names_credential(found[1], found[2]) for found in _ASSIGNED.finditer(text))
    return is_named or masked_text(text, configured_secrets()) != text


def configured_secrets() -> frozenset[str]:
    """All credentials in the settings of this app and of libraries in use, to find copies of them elsewhere."""
    return frozenset(_secrets_in(conf.values_with_credentials()))


def _holds_secret(text: str, secrets: Collection[str]) -> bool:
    if text in secrets or SECRET_VALUE.search(text):
        return True
    return any(secret in text for secret in secrets if _is_unusual(secret))


def _is_unusual(secret: str) -> bool:
    """Is this secret unlikely to occur in other texts? A password may be an ordinary word."""
    return len(secret) >= (2 if secret.isalpha() else 1) * MIN_SECRET_INSIDE_TEXT


def _secrets_in(value: Any, under_credential: bool = False) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            # A service account's dictionary also has public parts, such as URLs; only its secret names count.
            yield from _secrets_in(item, names_credential(str(key), item))
            if isinstance(item, Mapping) and _HEADERS.match(re.sub(r"[\W_]+", "", str(key).casefold())):
                yield from _secrets_of_headers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets_in(item, under_credential)
    elif isinstance(value, str) and value.strip() and under_credential:
        yield value
        yield _HEADER_SCHEME.sub("", value)
    elif isinstance(value, str) and _URL.match(value):
        yield from _secrets_of_address(value)


def _secrets_of_headers(headers: Mapping[Any, Any]) -> Iterator[str]:
    """Credentials in headers of any name. Values without a digit, or of several words, are not credentials."""
    for name, value in headers.items():
        bare = _HEADER_SCHEME.sub("", value).strip() if isinstance(value, str) else ""
        is_plain = str(name).lower() in _PLAIN_HEADERS or not _UNUSUAL_HEADER.fullmatch(bare)
        if not is_plain:
            yield bare


def _secrets_of_address(address: str) -> Iterator[str]:
    """The password in a URL, and credentials in its query parameters."""
    try:
        url = urlsplit(address)
        parameters = parse_qsl(url.query)
    except ValueError:
        return
    if url.password:
        yield from {url.password, unquote(url.password)}
    yield from (value for name, value in parameters if value and (names_credential(name) or name.lower() == "key"))
