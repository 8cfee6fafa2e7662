"""The models that a site may use. None is asked here: see ``sign_of_life``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel, worst
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.deadlines import TookTooLong, in_thread
from openedx_ai_extensions.core.redaction import names_credential
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.ledger.prices import PriceSource
from openedx_ai_extensions.processors.llm.provider import circuit, gateway, model_info
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider

CACHE_SECONDS = 2.0
PRICE_SECONDS = 10.0  # the first look loads LiteLLM and its table


def check() -> list[Finding]:
    """For each: what it is, whether it has a key, whether it is left alone, and whether its price is known."""
    names = list(conf.providers())
    if not names:
        advice = _("Name one in AI_EXTENSIONS. Until then only mock workflows answer.")
        return [Finding(HealthLevel.WARNING, _("Providers"), _("None is configured."), advice)]
    usable = {name: provider for name in names if (provider := _usable(name)) is not None}
    standings, has_prices = _standings(usable), _has_prices(usable)
    return [
        _provider(usable[name], standings.get(name), has_prices=has_prices) if name in usable else _unusable(name)
        for name in names
    ]


def _usable(name: str) -> Provider | None:
    try:
        provider = find_provider(name)
        _known = provider.capabilities
    except LLMConfigError:
        return None
    return provider


def _standings(usable: Mapping[str, Provider]) -> Mapping[str, circuit.CircuitStatus]:
    """What is known of each; nothing while the cache does not answer."""
    try:
        return in_thread(
            lambda: {name: circuit.status(provider) for name, provider in usable.items()}, CACHE_SECONDS, "health"
        )
    except TookTooLong:
        return {}


def _has_prices(usable: Mapping[str, Provider]) -> bool:
    """Is LiteLLM's table at hand, if it is needed?"""
    if all(provider.parameters.get("prices") for provider in usable.values()):
        return True
    try:
        in_thread(gateway.warm_up, PRICE_SECONDS, "health")
    except TookTooLong:
        return False
    return True


def _unusable(name: str) -> Finding:
    text = _("Its entry cannot be used.")
    return Finding(HealthLevel.ERROR, name, text, _("See what manage.py check says of AI_EXTENSIONS."), key=name)


def _provider(provider: Provider, status: circuit.CircuitStatus | None, *, has_prices: bool) -> Finding:
    parts = [_key(provider), _circuit(status), _price(provider, is_known=has_prices)]
    text = " ".join([_("Model {model}.").format(model=provider.model), *(part.text for part in parts)])
    advice = " ".join(part.advice for part in parts if part.advice)
    return Finding(worst(parts), provider.name, text, advice, key=provider.name)


def _key(provider: Provider) -> Finding:
    """Is there a credential? What it is, nobody is told."""
    if _has_credential(provider.parameters) or os.environ.get(f"{provider.kind.upper()}_API_KEY"):
        return Finding(HealthLevel.OK, "", _("It has a key."))
    if "mock_response" in provider.parameters:
        return Finding(HealthLevel.OK, "", _("It needs no key."))
    advice = _("A server of your own may need none; else add API_KEY.")
    return Finding(HealthLevel.NOTE, "", _("It has no key."), advice)


def _has_credential(parameters: Mapping[str, Any]) -> bool:
    return any(value not in (None, "") and names_credential(name, value) for name, value in parameters.items())


def _circuit(known: circuit.CircuitStatus | None) -> Finding:
    if known is None:
        return Finding(HealthLevel.NOTE, "", _("Whether it is left alone is not known: the cache does not answer."))
    if known.is_open:
        text = _("It kept failing, so it is left alone.")
        if known.seconds:
            text = _("It kept failing, so it is left alone for another {seconds} seconds.").format(
                seconds=known.seconds
            )
        return Finding(HealthLevel.ERROR, "", text, _("Ask it for a sign of life to learn why."))
    if known.failures:
        text = ngettext("{count} of its calls failed lately.", "{count} of its calls failed lately.", known.failures)
        return Finding(HealthLevel.WARNING, "", text.format(count=known.failures))
    return Finding(HealthLevel.OK, "", _("It is in use."))


def _price(provider: Provider, *, is_known: bool) -> Finding:
    if not is_known and not provider.parameters.get("prices"):
        return Finding(HealthLevel.NOTE, "", _("Looking up its price takes too long; try again in a moment."))
    price = model_info.price(provider)
    if price is None:
        advice = _("State PRICES in its entry: limits of money cannot hold without.")
        return Finding(HealthLevel.WARNING, "", _("Nobody knows its price."), advice)
    if price.source is PriceSource.SITE:
        return Finding(HealthLevel.OK, "", _("Its price is stated by the site."))
    return Finding(HealthLevel.OK, "", _("Its price is from LiteLLM's table."))
