"""Validators of settings. Each function takes a value, and returns the problem as a text, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import LearningContextKey
from opaque_keys.edx.locator import LibraryLocatorV2

from openedx_ai_extensions.core.credential_forms import is_credential
from openedx_ai_extensions.core.portable import is_whole, number_problem

# Thirty years, in seconds. Python's locks and clocks raise an error for larger values.
MAX_NUMBER = 10**9


def positive_number(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_good = is_number and 0 < value <= MAX_NUMBER
    return None if is_good else f"must be a number greater than 0, and at most {MAX_NUMBER}"


def positive_whole_number(value: Any) -> str | None:
    least = f"must be a whole number, 1 or more, at most {MAX_NUMBER}"
    return whole_number(value) or (None if value else least)


def whole_number(value: Any) -> str | None:
    is_good = is_whole(value) and 0 <= value <= MAX_NUMBER
    return None if is_good else f"must be a whole number, 0 or more, at most {MAX_NUMBER}"


def paths(value: Any) -> str | None:
    is_list = isinstance(value, list | tuple) and all(isinstance(item, str | Path) for item in value)
    return None if is_list else "must be a list of directories"


def dotted_path(value: Any) -> str | None:
    return None if isinstance(value, str) and "." in value else "must be a dotted path to a class"


def texts(value: Any) -> str | None:
    is_list = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return None if is_list else "must be a list of texts"


def true_or_false(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be True or False"


def service_variant(value: Any) -> str | None:
    return None if value in ("lms", "cms") else "must be 'lms' or 'cms'"


def courses(value: Any) -> str | None:
    is_list = isinstance(value, list | tuple) and all(isinstance(c, Mapping) and "path" in c for c in value)
    return None if is_list else "must be a list of dictionaries, each with a path"


def libraries(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "must be a dictionary of library key, such as 'lib:Org:slug', to a dictionary"
    for key, entry in value.items():
        if not _is_library_key(key):
            return f"key {key!r} must be a library key such as 'lib:Org:slug'"
        if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str | Path):
            return f"library {key!r} must be a dictionary with a path"
        if texts(entry.get("editors", ())):
            return f"library {key!r} must have editors that are a list of usernames"
    return None


def _is_library_key(key: Any) -> bool:
    try:
        return isinstance(LearningContextKey.from_string(str(key)), LibraryLocatorV2)
    except InvalidKeyError:
        return False


def unknown_price(value: Any) -> str | None:
    return None if value in ("block", "warn", "tokens_only") else "must be 'block', 'warn' or 'tokens_only'"


def currency(value: Any) -> str | None:
    is_code = isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()
    return None if is_code else "must be three capital letters such as 'EUR'"


def cache_parameters(value: Any) -> str | None:
    # Semantic caches are rejected: they could return another question's answer.
    kinds = ("local", "redis", "disk", "s3", "gcs", "azure-blob")
    if not isinstance(value, Mapping) or value.get("type", "local") not in kinds:
        return f"must be a dictionary with a type, one of {', '.join(kinds)}"
    return None if positive_number(value.get("ttl", 1)) is None else "must have a ttl of more than 0 seconds"


_NARROWED_BY: Mapping[str, frozenset[str]] = {
    "site": frozenset(),
    "provider": frozenset({"provider"}),
    "course": frozenset({"course"}),
    "profile": frozenset({"profile"}),
    "person": frozenset({"tier", "course", "profile"}),
}
_AMOUNTS = ("requests", "tokens", "money")


def limits(value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return "must be a list of dictionaries"
    for number, entry in enumerate(value):
        problem = _limit(entry)
        if problem:
            return f"entry {number} {problem}"
    return None


def _limit(entry: Any) -> str | None:
    if not isinstance(entry, Mapping) or entry.get("per") not in tuple(_NARROWED_BY):
        return f"must have per, one of {', '.join(_NARROWED_BY)}"
    if entry.get("period") not in ("minute", "hour", "day", "month"):
        return "must have period, one of minute, hour, day, month"
    narrowed_by = _NARROWED_BY[entry["per"]]
    unknown = sorted(set(entry) - {"per", "period", *_AMOUNTS, *narrowed_by})
    if unknown:
        return f"must not have {', '.join(map(str, unknown))}"
    if {"course", "profile"} <= set(entry) or entry.get("tier", "staff") != "staff":
        return "must not have both course and profile, nor another tier than 'staff'"
    return next(filter(None, map(_amount, [(name, entry.get(name)) for name in _AMOUNTS])), None)


def _amount(named: tuple[str, Any]) -> str | None:
    name, value = named
    is_number = isinstance(value, int | float | Decimal if name == "money" else int) and not isinstance(value, bool)
    if value is None or (is_number and number_problem(value) is None and 0 <= value < 10**12):
        return None
    return f"must have {name} from 0 to less than {10**12}"


def moderators(value: Any) -> str | None:
    is_good = isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(entry, Mapping) and isinstance(entry.get("KIND", entry.get("kind")), str)
        for name, entry in value.items()
    )
    return None if is_good else "must be a dictionary of names to dictionaries, each with a KIND"


def web_address(value: Any) -> str | None:
    is_address = isinstance(value, str) and value.startswith(("http://", "https://", "//"))
    return None if not value or is_address else "must be a web address such as 'https://learn.example.com'"


def switches(value: Any) -> str | None:
    return None if isinstance(value, Mapping) else "must be a dictionary of names and switches"


def mcp_servers(value: Any) -> str | None:
    # A problem names the server and the key only: addresses and headers hold secrets.
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
        return "must be a dictionary of MCP server name to its parameters"
    if any(map(is_credential, value)):
        return "must not have a key as the name of a server: it is shown on pages and in the log"
    for name, parameters in value.items():
        if not isinstance(parameters, Mapping) or not all(isinstance(key, str) for key in parameters):
            return f"server {name!r} must be a dictionary with a URL"
        normal = mcp_parameters(parameters)
        for key, is_good, what in _MCP_PARAMETERS:
            if not is_good(normal.get(key)):
                return f"server {name!r} must have {what}"
    return None


def mcp_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    normal = {key.lower(): value for key, value in parameters.items()}
    return {**normal, "url": normal.get("url", normal.get("server_url"))}


_MCP_PARAMETERS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("url", lambda v: isinstance(v, str) and v.startswith(("http://", "https://")), "a URL with http or https"),
    (
        "headers",
        lambda v: v is None or (isinstance(v, Mapping) and all(isinstance(t, str) for t in (*v, *v.values()))),
        "HEADERS that are a dictionary of texts",
    ),
    ("allowed_tools", lambda v: v is None or texts(v) is None, "ALLOWED_TOOLS that are a list of names"),
    ("timeout", lambda v: v is None or positive_number(v) is None, "a TIMEOUT of more than 0 seconds"),
    ("transport", lambda v: v in (None, "streamable_http", "sse"), "a TRANSPORT that is 'streamable_http' or 'sse'"),
    ("through", lambda v: v in (None, "auto", "client"), "a THROUGH that is 'auto' or 'client'"),
)
