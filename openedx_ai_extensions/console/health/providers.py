"""The configured providers: what is known about each, and a ping, which is the only proof that one works."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openedx_ai_extensions.console.health.findings import Finding, error, note, ok, warning, worst
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.long_waits import TookTooLong, in_thread
from openedx_ai_extensions.core.redaction import names_credential
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    InvalidAPIKey,
    LLMConfigError,
    ProviderRateLimited,
    Refused,
    ServiceUnavailable,
)
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.ledger.prices import PriceSource
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors.llm.provider import calls, circuit, library
from openedx_ai_extensions.processors.llm.provider.circuit import CircuitOpen
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.provider.types import Request

CACHE_SECONDS = 2.0
PRICE_SECONDS = 10.0  # the first time, LiteLLM and its price table are loaded

PING_ACTION = "health"  # in the ledger
PING_SECONDS = 15.0
QUESTION = "Reply with the word OK and nothing else."  # for the model, so not translated
OPTIONS = {"max_tokens": 16}

# What to tell an operator about an error, and what to do; the first class that fits counts.
ADVICE: tuple[tuple[type[AIExtensionsError], str | Promise, str | Promise], ...] = (
    (CircuitOpen, gettext_lazy("Its circuit is open: it is not called, because its calls kept failing."),
     gettext_lazy("Try again in a moment: then one call tests it.")),
    (InvalidAPIKey, gettext_lazy("It rejects the key."), gettext_lazy("Check API_KEY in its entry.")),
    (LLMConfigError, gettext_lazy("It rejects the parameters of its entry."),
     gettext_lazy("Check MODEL, API_BASE and the other parameters of its entry; the log has details.")),
    (ProviderRateLimited, gettext_lazy("It is busy, or its own limit is used up."),
     gettext_lazy("Try again later, or check your account there.")),
    (ServiceUnavailable, gettext_lazy("It cannot be reached, or did not answer in time."),
     gettext_lazy("Check API_BASE, and that this server can connect to it.")),
)  # fmt: skip


def providers() -> Iterator[Finding]:
    """For each provider: its model, whether it has a key, the state of its circuit, and whether its price is known."""
    names = list(conf.providers())
    if not names:
        advice = _("Add one to AI_EXTENSIONS. Without a provider, only mock workflows answer.")
        yield warning(_("Providers"), _("None is configured."), advice)
    usable = {name: provider for name in names if (provider := _usable(name)) is not None}
    circuits, has_prices = _circuits(usable), _has_prices(usable)
    for name in names:
        if name not in usable:
            advice = _("See what manage.py check reports about AI_EXTENSIONS.")
            yield error(name, _("Its entry is not valid."), advice, provider=name)
            continue
        provider = usable[name]
        parts = [_key(provider), _circuit(circuits.get(name)), _price(provider, has_prices=has_prices)]
        text = " ".join([_("Model {model}.").format(model=provider.model), *(part.text for part in parts)])
        advice = " ".join(part.advice for part in parts if part.advice)
        yield Finding(worst(parts), name, text, advice, provider=name)


def _usable(name: str) -> Provider | None:
    try:
        provider = find_provider(name)
        _known = provider.capabilities
    except LLMConfigError:
        return None
    return provider


def _circuits(usable: Mapping[str, Provider]) -> Mapping[str, circuit.CircuitStatus]:
    """The circuit of each provider; none while the cache does not answer."""
    try:
        return in_thread(
            lambda: {name: circuit.status(provider) for name, provider in usable.items()}, CACHE_SECONDS, "health"
        )
    except TookTooLong:
        return {}


def _has_prices(usable: Mapping[str, Provider]) -> bool:
    """Is LiteLLM's price table loaded, if it is needed?"""
    if all(provider.parameters.get("prices") for provider in usable.values()):
        return True
    try:
        in_thread(library.warm_up, PRICE_SECONDS, "health")
    except TookTooLong:
        return False
    return True


def _key(provider: Provider) -> Finding:
    """Is there a credential? It is never shown."""
    parameters = provider.parameters
    has_key = any(value not in (None, "") and names_credential(name, value) for name, value in parameters.items())
    if has_key or os.environ.get(f"{provider.kind.upper()}_API_KEY"):
        return ok("", _("It has a key."))
    if "mock_response" in parameters:
        return ok("", _("It needs no key."))
    return note("", _("It has no key."), _("Your own server may not need a key; otherwise add API_KEY."))


def _circuit(status: circuit.CircuitStatus | None) -> Finding:
    if status is None:
        return note("", _("The state of its circuit is unknown: the cache does not answer."))
    if status.is_open:
        text = _("Its circuit is open: it is not called, because its calls kept failing.")
        if status.seconds:
            text = _("Its circuit is open: it is not called for {seconds} seconds, because its calls kept failing.")
        return error("", text.format(seconds=status.seconds), _("Send a test request to see the reason."))
    if status.failures:
        text = ngettext(
            "{count} of its calls failed recently.", "{count} of its calls failed recently.", status.failures
        )
        return warning("", text.format(count=status.failures))
    return ok("", _("It is available."))


def _price(provider: Provider, *, has_prices: bool) -> Finding:
    if not has_prices and not provider.parameters.get("prices"):
        return note("", _("Looking up its price takes too long; try again in a moment."))
    price = provider.price
    if price is None:
        advice = _("State PRICES in its entry: without them, limits of money have no effect.")
        return warning("", _("Its price is unknown."), advice)
    if price.source is PriceSource.SITE:
        return ok("", _("Its price is from the site's settings."))
    return ok("", _("Its price is from LiteLLM's table."))


def ping(name: str, user: Any = None) -> Finding:
    """Send a provider a short request. It costs money, and is in the ledger.

    Args:
        name: of an entry of ``AI_EXTENSIONS``.
        user: who asks, for the ledger; None on the command line.
    """
    if name not in conf.providers():
        return error(name, _("There is no such provider."))
    refusal = Guard(user=user).refusal()
    if refusal is not None:
        return warning(name, _("It was not called: {reason}").format(reason=refusal), provider=name)
    try:
        library.warm_up()  # so that loading LiteLLM does not count as the provider's time
        run = Run(user=user, action=PING_ACTION)
        request = Request(name, [{"role": "user", "content": QUESTION}], OPTIONS, seconds=PING_SECONDS, run=run)
        started = time.monotonic()
        calls.complete(request)
    except Refused as refused:
        return warning(name, _("It was not called: {reason}").format(reason=refused), provider=name)
    except AIExtensionsError as failure:
        known = ((text, advice) for kind, text, advice in ADVICE if isinstance(failure, kind))
        text, advice = next(known, (str(failure), ""))
        return error(name, f"{text} ({failure.code})", str(advice), provider=name)
    seconds = formats.number_format(time.monotonic() - started, 2)
    return ok(name, _("It answered within {seconds} seconds.").format(seconds=seconds), provider=name)
