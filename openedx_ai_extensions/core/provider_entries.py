"""Reads the entries of the setting ``AI_EXTENSIONS``: parameters for LiteLLM, our own parameters, and problems.

``manage.py check`` reports problems. At run time, invalid parameters are omitted, so that calls do not fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from openedx_ai_extensions.core.credential_forms import is_credential
from openedx_ai_extensions.core.portable import is_portable
from openedx_ai_extensions.core.provider_parameters import NO_KEY, Use, parameter_named, text

NEEDS_MODEL = "must be a dictionary with a MODEL such as 'openai/gpt-4.1-mini'"
# Default models of entries with these names: small models that suit all built-in workflows.
DEFAULT_MODELS: Mapping[str, str] = {
    "openai": "openai/gpt-4.1-mini",
    "anthropic": "anthropic/claude-haiku-4-5",
    "gemini": "gemini/gemini-2.5-flash",
    "mistral": "mistral/mistral-small-latest",
    "groq": "groq/openai/gpt-oss-20b",
}
# The domains of the companies' own servers, by LiteLLM's name of the provider.
VENDOR_DOMAINS: Mapping[str, str] = {
    "openai": "openai.com",
    "azure": "azure.com",
    "azure_ai": "azure.com",
    "anthropic": "anthropic.com",
    "gemini": "googleapis.com",
    "vertex_ai": "googleapis.com",
    "mistral": "mistral.ai",
    "groq": "groq.com",
    "deepseek": "deepseek.com",
    "openrouter": "openrouter.ai",
    "together_ai": "together.xyz",
    "xai": "x.ai",
}


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """The usable parts of an entry.

    Attributes:
        model: LiteLLM's name of the model; empty if the entry has no valid one.
        is_default: the entry has no model, and this one was chosen by the entry's name.
        parameters: all others that can be used, ours too, under names in lower case. Of several names for the same
            thing (``timeout``, ``total_timeout``) it has only the one that ``PARAMETERS`` names first.
        problems: for ``manage.py check``; without values, which may be secret.
        ignored: the omitted parameters, as the site spells them.
    """

    model: str
    is_default: bool
    parameters: Mapping[str, Any]
    problems: Sequence[str]
    ignored: Sequence[str]

    @property
    def vendor(self) -> str:
        """LiteLLM's name of the provider."""
        return vendor_of(self.model, self.parameters)

    @property
    def foreign_host(self) -> str:
        """The host of the entry's address; empty if it has no address, or one of the vendor's domain."""
        return foreign_host(self.vendor, self.parameters)

    @property
    def processor(self) -> str:
        """Who processes the data, as AI notices name them: ``PROCESSOR``, otherwise the host, otherwise the vendor."""
        return str(self.parameters.get("processor") or self.foreign_host or self.vendor)


def vendor_of(model: str, parameters: Mapping[str, Any]) -> str:
    """LiteLLM's name of the provider of an entry."""
    stated = parameters.get("custom_llm_provider")
    if stated:
        return str(stated)
    vendor, slash, _model = model.partition("/")
    return vendor if slash else "openai"


def foreign_host(vendor: str, parameters: Mapping[str, Any]) -> str:
    """The host of an entry's address; empty if it has no address, or one of the vendor's domain; "?" if the address
    cannot be read. LiteLLM also reads addresses from the environment.
    """
    names = (f"{vendor.upper()}_{suffix}" for suffix in ("BASE_URL", "API_BASE"))
    stated = (parameters.get("api_base"), parameters.get("base_url"), *map(os.environ.get, names))
    address = next(filter(None, stated), "")
    if not address:
        return ""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        host = None
    if not host:  # from the environment; the call will report it
        return "?"
    domain = VENDOR_DOMAINS.get(vendor)
    return "" if domain and f".{host}".endswith(f".{domain}") else host


def read_entry(entry: Any, name: str = "") -> ProviderEntry:
    """Read an entry.

    Args:
        entry: the value in the setting, of any type.
        name: the name of the entry.
    """
    default = DEFAULT_MODELS.get(name.lower(), "") if isinstance(entry, Mapping) else ""
    found: dict[str, Any] = {}
    wrong: list[str] = []
    ignored: list[str] = []
    is_usable = True
    for key, value in entry.items() if isinstance(entry, Mapping) else ():
        parameter = key.strip().lower() if isinstance(key, str) else ""
        usable = _usable(parameter, value)
        reason = "is there twice, in different spellings" if parameter in found else _problem(parameter, usable)
        if reason:
            ignored.append(str(key))
            is_usable = is_usable and not (value is not None and parameter_named(parameter).is_vital)
        else:
            found[parameter] = usable
            reason = "must not have spaces around it" if key != key.strip() or usable is not value else None
        if reason:
            wrong.append(f"{key!r} {reason}")
    is_default = "model" not in found and not any(key.strip().lower() == "model" for key in ignored)
    if is_default and not default:
        wrong.insert(0, NEEDS_MODEL)
    model = found.pop("model", default if is_default else "")
    return ProviderEntry(model if is_usable else "", is_default, _by_first_name(found), wrong, ignored)


def _usable(name: str, value: Any) -> Any:
    """The value, without surrounding spaces if it is valid without them."""
    return value.strip() if isinstance(value, str) and _problem(name, value) else value


def _problem(name: str, value: Any) -> str | None:
    if not name or any(character.isspace() for character in name):
        return "must be a text without spaces"
    parameter = parameter_named(name)
    if parameter.use is Use.REFUSED:
        return f"must be left out: {parameter.meaning[0].lower()}{parameter.meaning[1:].rstrip('.')}"
    if value is None:
        return "must not be None: leave it out"
    if not is_portable(value):
        return "must not hold numbers beyond 64 bits, NaN or infinity, nor control characters"
    return parameter.problem(value)


def _by_first_name(found: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve parameters of ours that have several names."""
    named: dict[str, Any] = {}
    for name, value in found.items():
        names = parameter_named(name).names if parameter_named(name).use is Use.OURS else (name,)
        if not any(other in found for other in names[: names.index(name)]):
            named[names[0]] = value
    return named


def entries_problem(value: Any) -> str | None:
    """The problems of the setting ``AI_EXTENSIONS`` as a text; None if there are none."""
    if not isinstance(value, Mapping):
        return "must be a dictionary of provider name to its parameters"
    wrong = list(_problems(value))
    return "; ".join(wrong) if wrong else None


def _problems(entries: Mapping[Any, Any]) -> Iterator[str]:
    for name, parameters in entries.items():
        if isinstance(name, str) and is_credential(name):
            yield f"has a provider whose name {NO_KEY}"
            continue
        if not isinstance(name, str) or text(name) or not name:
            yield f"must have names of providers that are texts, unlike {name!r}"
        entry = read_entry(parameters, str(name))
        for problem in entry.problems:
            yield f"provider {name!r} {problem}" if problem is NEEDS_MODEL else f"provider {name!r}: {problem}"
        unknown = [other for other in entry.parameters.get("fallbacks", ()) if other not in entries]
        if unknown:
            yield f"provider {name!r}: FALLBACKS name providers that do not exist: {', '.join(unknown)}"
