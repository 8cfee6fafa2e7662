"""The providers that receive what people write in a workflow, and their regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.provider_entries import ProviderEntry

PROCESSORS_WITHOUT_MODEL = frozenset({"OpenEdXProcessor", "SubmissionProcessor", "ContentLibraryProcessor"})


@dataclass(frozen=True, slots=True, order=True)
class Recipient:
    """The parts of an entry of ``AI_EXTENSIONS`` that matter for consent.

    Attributes:
        name: name of the entry.
        vendor: the part of the model's name before the slash.
        region: the entry's ``REGION``; empty if not set.
    """

    name: str
    vendor: str
    region: str


def recipients(processor_config: Mapping[str, Any]) -> tuple[Recipient, ...]:
    """All providers that may receive a question: those of the profile's processors, their fallbacks and their
    moderators.

    Providers that the site does not have are omitted.
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
    if stand_ins is None:  # an empty list means no fallbacks
        entry = conf.provider_entry(_resolved(name))
        stand_ins = entry.parameters.get("fallbacks") if entry else None
    yield from _texts(stand_ins)
    yield from _moderation_providers(config.get("moderation"))


def _moderation_providers(own: Any) -> Iterator[str]:
    """The providers of the moderators that the profile names, or those of the site."""
    said = {**conf.site_moderation(), **(own if isinstance(own, Mapping) else {})}
    moderators = conf.get("AI_EXTENSIONS_MODERATION.MODERATORS")
    for direction in ("before", "after"):
        providers = (_parameter(moderators.get(name, {}), "provider") for name in _texts(said.get(direction)))
        yield from (str(provider) for provider in providers if provider)


def _texts(value: Any) -> Iterator[str]:
    yield from map(str, value if isinstance(value, list | tuple) else ())


def _resolved(name: str) -> str:
    """Resolve ``default``: the entry of that name, otherwise the first entry."""
    return next(iter(conf.providers()), name) if name == "default" and name not in conf.providers() else name


def _recipient(name: str, entry: ProviderEntry) -> Recipient:
    vendor, slash, _model = entry.model.partition("/")
    return Recipient(name, vendor if slash else "openai", str(entry.parameters.get("region", "")))


def _parameter(entry: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in entry.items() if key.lower() == name), None)
