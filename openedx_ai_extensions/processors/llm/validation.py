"""Validates the configuration of an ``LLMProcessor`` when a profile is saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import (
    Problem,
    Severity,
    config_validator,
    reads_processors,
    slow_config_validator,
)
from openedx_ai_extensions.core.provider_entries import resolved_name
from openedx_ai_extensions.core.provider_parameters import RESERVED_OPTION, not_for_models
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.moderation import Direction
from openedx_ai_extensions.processors.llm.processor import LLMProcessor
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.tools.registry import tool_names

PATH = "$.processor_config.LLMProcessor"


@config_validator
def check_llm_processor(config: Mapping[str, Any]) -> Iterable[Problem]:
    """Function, provider, prompt and options must exist and be allowed."""
    llm = config["processor_config"].get("LLMProcessor")
    if llm is None:
        return
    if reads_processors(config):
        yield from _function_problems(llm)
        yield from _provider_problems(llm)
        yield from _tool_problems(llm)
        yield from _moderation_problems(llm)
    yield from _option_problems(llm)


def _function_problems(llm: Mapping[str, Any]) -> Iterable[Problem]:
    function = llm.get("function") or LLMProcessor.default_function
    if function not in LLMProcessor.functions():
        allowed = ", ".join(sorted(LLMProcessor.functions()))
        yield Problem(f"{PATH}.function", _("There is no such function. Use one of: {names}.").format(names=allowed))
    elif function == LLMProcessor.default_function and not (llm.get("prompt") or llm.get("prompt_template")):
        yield Problem(f"{PATH}.prompt", _("This function needs a prompt, or a prompt_template."))


def _provider_problems(llm: Mapping[str, Any]) -> Iterable[Problem]:
    provider = llm.get("provider") or "default"
    names = list(conf.providers())
    if llm.get("provider") == "":
        yield Problem(f"{PATH}.provider", _("This must not be empty."))
    asked = [("provider", provider), *((f"fallbacks[{n}]", name) for n, name in enumerate(llm.get("fallbacks") or ()))]
    for place, name in asked:
        if resolved_name(name, names) not in names:
            known = ", ".join(names) or _("none")
            yield Problem(
                f"{PATH}.{place}",
                _("This service has no provider of that name. It has: {names}.").format(names=known),
                Severity.WARNING,  # another service may have it
            )
    reference = llm.get("prompt_template")
    if reference and PromptTemplate.objects.lookup(reference) is None:
        yield Problem(f"{PATH}.prompt_template", _("There is no prompt template with this slug or UUID."))


def _tool_problems(llm: Mapping[str, Any]) -> Iterable[Problem]:
    for kind, known, message in (
        ("enabled_tools", tool_names(), _("There is no such tool. Use some of: {names}.")),
        ("mcp_configs", conf.get("AI_EXTENSIONS_MCP_CONFIGS"), _("The site has no such MCP server. It has: {names}.")),
    ):
        for position, name in enumerate(llm.get(kind) or ()):
            if name not in known:
                names = ", ".join(sorted(known)) or _("none")
                # Another service may have it.
                yield Problem(f"{PATH}.{kind}[{position}]", message.format(names=names), Severity.WARNING)


def _moderation_problems(llm: Mapping[str, Any]) -> Iterable[Problem]:
    known = conf.get("AI_EXTENSIONS_MODERATION.MODERATORS")
    for direction, names in (llm.get("moderation") or {}).items():
        path = f"{PATH}.moderation.{direction}"
        if direction not in set(Direction):
            yield Problem(path, _("This must be before or after, with a list of names."))
            continue
        for position, name in enumerate(names):
            if name not in known:
                # An error in every service: without its moderator, no text passes.
                there_are = ", ".join(sorted(known)) or _("none")
                message = _("The site has no such moderator. It has: {names}.").format(names=there_are)
                yield Problem(f"{path}[{position}]", message)


@slow_config_validator
def check_options_of_models(config: Mapping[str, Any]) -> Iterable[Problem]:
    """Options that the model does not support and that the call will omit."""
    for name, section in config["processor_config"].items():
        options = section.get("options")
        if not isinstance(options, Mapping):
            continue
        for asked in (section.get("provider") or "default", *(section.get("fallbacks") or ())):
            try:
                provider = find_provider(asked)
            except LLMConfigError:
                continue  # reported elsewhere
            for option in provider.unsupported_options(options):
                message = _("The model {model} does not support this option. It is left out of requests to {provider}.")
                yield Problem(
                    f"$.processor_config.{name}.options.{option}",
                    message.format(model=provider.base_model, provider=provider.name),
                    Severity.WARNING,
                )


def _option_problems(llm: Mapping[str, Any]) -> Iterable[Problem]:
    for name in not_for_models(llm.get("options") or {}):
        path = f"{PATH}.options.{name}"
        if not RESERVED_OPTION.fullmatch(name):
            message = _(
                "A profile cannot set this option. It is not sent to the model. A parameter that the "
                "provider needs belongs in its entry of the site's setting AI_EXTENSIONS."
            )
            yield Problem(path, message, Severity.WARNING)
        else:
            message = _(
                "A profile cannot set this. The model, its key, its address and its connection "
                "options belong in an entry of the site's setting AI_EXTENSIONS, which the profile "
                "names as its provider."
            )
            yield Problem(path, message)
