"""To whom a profile sends what people say: the providers that may answer for it, and where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.provider_entries import ProviderEntry

PROCESSORS_WITHOUT_MODEL = frozenset({"OpenEdXProcessor", "SubmissionProcessor", "ContentLibraryProcessor"})


@dataclass(frozen=True, slots=True, order=True)
class Recipient:
    """An entry of the setting ``AI_EXTENSIONS``, as far as it matters to whoever consents.

    Attributes:
        name: the entry's.
        vendor: whose model it is: the part of its name before the slash.
        region: as the entry's ``REGION`` says; empty when it says nothing.
    """

    name: str
    vendor: str
    region: str


def recipients(processor_config: Mapping[str, Any]) -> tuple[Recipient, ...]:
    """All that may get to read a question: the providers of the profile's processors, those that stand in for them, and
    those that moderate.

    Providers that the site does not have are left out: nothing can be sent to them.
    """
    names = {name for processor, config in processor_config.items() for name in _names(processor, config)}
    entries = {_resolved(name) for name in names}
    read = ((name, conf.provider_entry(name)) for name in entries)
    return tuple(sorted(_recipient(name, entry) for name, entry in read if entry))


def _names(processor: str, config: Any) -> Iterator[str]:
    if processor in PROCESSORS_WITHOUT_MODEL or not isinstance(config, Mapping):
        return
    name = str(config.get("provider") or "default")
    yield name
    stand_ins = config.get("fallbacks")
    if stand_ins is None:  # an empty list says that there are none
        entry = conf.provider_entry(_resolved(name))
        stand_ins = entry.parameters.get("fallbacks") if entry else None
    yield from _texts(stand_ins)
    yield from _moderation_providers(config.get("moderation"))


def _moderation_providers(own: Any) -> Iterator[str]:
    """The providers whose moderation endpoints read along: as the profile says, else as the site does."""
    said = {**conf.get("AI_EXTENSIONS_MODERATION"), **(own if isinstance(own, Mapping) else {})}
    moderators = conf.get("AI_EXTENSIONS_MODERATORS")
    for direction in ("before", "after"):
        providers = (_parameter(moderators.get(name, {}), "provider") for name in _texts(said.get(direction)))
        yield from (str(provider) for provider in providers if provider)


def _texts(value: Any) -> Iterator[str]:
    yield from map(str, value if isinstance(value, list | tuple) else ())


def _resolved(name: str) -> str:
    """``default`` is the entry so named, or else the first."""
    return next(iter(conf.providers()), name) if name == "default" and name not in conf.providers() else name


def _recipient(name: str, entry: ProviderEntry) -> Recipient:
    vendor, slash, _model = entry.model.partition("/")
    return Recipient(name, vendor if slash else "openai", str(entry.parameters.get("region", "")))


def _parameter(entry: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in entry.items() if key.lower() == name), None)
