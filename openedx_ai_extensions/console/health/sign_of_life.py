"""Having a provider say a word: the only way to know that it works. It is paid for, and in the ledger as ``health``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    InvalidAPIKey,
    LLMConfigError,
    ProviderRateLimited,
    Refused,
    ServiceUnavailable,
)
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors.llm.provider import calls, gateway
from openedx_ai_extensions.processors.llm.provider.circuit import CircuitOpen
from openedx_ai_extensions.processors.llm.provider.types import Request

ACTION = "health"
SECONDS = 15.0
QUESTION = "Reply with the word OK and nothing else."  # for the model, so not translated
OPTIONS = {"max_tokens": 16}

# What went wrong for an operator, and what to do. The first that fits.
ADVICE: tuple[tuple[type[AIExtensionsError], str | Promise, str | Promise], ...] = (
    (CircuitOpen, gettext_lazy("It kept failing, so it is left alone for now."),
     gettext_lazy("Ask again in a moment: then one call tries it.")),
    (InvalidAPIKey, gettext_lazy("It refuses the key."), gettext_lazy("Check API_KEY in its entry.")),
    (LLMConfigError, gettext_lazy("It does not take what its entry says."),
     gettext_lazy("Check MODEL, API_BASE and the other parameters of its entry; the log has more.")),
    (ProviderRateLimited, gettext_lazy("It is busy, or its own limit is used up."),
     gettext_lazy("Try again later, or look at your account there.")),
    (ServiceUnavailable, gettext_lazy("It cannot be reached, or did not answer in time."),
     gettext_lazy("Check API_BASE, and that this server may reach it.")),
)  # fmt: skip


def ask_provider(name: str, user: Any = None) -> Finding:
    """Ask for one word.

    Args:
        name: of an entry of ``AI_EXTENSIONS``.
        user: who wants to know, for the ledger; None on the command line.
    """
    if name not in conf.providers():
        return Finding(HealthLevel.ERROR, name, _("There is no such provider."))
    refusal = Guard(user=user).refusal()
    if refusal is not None:
        return Finding(HealthLevel.WARNING, name, _("It was not asked: {reason}").format(reason=refusal), key=name)
    try:
        gateway.warm_up()  # which is not the provider's fault
        run = Run(user=user, action=ACTION)
        request = Request(name, [{"role": "user", "content": QUESTION}], OPTIONS, seconds=SECONDS, run=run)
        started = time.monotonic()
        calls.complete(request)
    except Refused as error:
        return Finding(HealthLevel.WARNING, name, _("It was not asked: {reason}").format(reason=error), key=name)
    except AIExtensionsError as error:
        return _failed(name, error)
    seconds = formats.number_format(time.monotonic() - started, 2)
    return Finding(HealthLevel.OK, name, _("It answered within {seconds} seconds.").format(seconds=seconds), key=name)


def _failed(name: str, error: AIExtensionsError) -> Finding:
    known: Mapping[str, Any] = next(
        ({"text": text, "advice": advice} for kind, text, advice in ADVICE if isinstance(error, kind)),
        {"text": error, "advice": ""},
    )
    return Finding(HealthLevel.ERROR, name, f"{known['text']} ({error.code})", str(known["advice"]), key=name)
