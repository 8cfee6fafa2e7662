"""Validates the configuration of processors that ask a model, when a profile is saved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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
from openedx_ai_extensions.core.provider_parameters import MODEL_OPTIONS, RESERVED_OPTION
from openedx_ai_extensions.core.schema import language_problems
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.moderation import Direction
from openedx_ai_extensions.processors.llm.educator import EducatorAssistantProcessor
from openedx_ai_extensions.processors.llm.language import COURSE, LEARNER
from openedx_ai_extensions.processors.llm.processor import LLMProcessor
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.tools.registry import tool_names


@config_validator
def check_language_models(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Function, provider, prompt, tools, moderators and options must exist and be allowed."""
    for processor in (LLMProcessor, EducatorAssistantProcessor):
        path = f"$.processor_config.{processor.__name__}"
        section = config["processor_config"].get(processor.__name__)
        if section is None:
            continue
        if reads_processors(config):
            yield from _function_problems(path, section, processor)
            for place, name, known, message in _names(section):
                if name not in known:
                    there_are = ", ".join(sorted(known)) or _("none")
                    # Another service may have it. But without its moderator, no text passes.
                    severity = Severity.ERROR if place.startswith("moderation") else Severity.WARNING
                    yield Problem(f"{path}.{place}", message.format(names=there_are), severity)
        language = section.get("language") or LEARNER
        if language not in {LEARNER, COURSE}:
            yield from language_problems(f"{path}.language", language)
        yield from _option_problems(f"{path}.options", section)


def _function_problems(path: str, section: Mapping[str, Any], processor: type[LLMProcessor]) -> Iterator[Problem]:
    function, names = section.get("function") or processor.default_function, processor.functions()
    has_prompt = section.get("prompt") or section.get("prompt_template")
    if function not in names:
        message = _("There is no such function. Use one of: {names}.").format(names=", ".join(sorted(names)))
        yield Problem(f"{path}.function", message)
    elif function == LLMProcessor.default_function == processor.default_function and not has_prompt:
        yield Problem(f"{path}.prompt", _("This function needs a prompt, or a prompt_template."))
    if section.get("provider") == "":
        yield Problem(f"{path}.provider", _("This must not be empty."))
    reference = section.get("prompt_template")
    if reference and PromptTemplate.objects.lookup(reference) is None:
        yield Problem(f"{path}.prompt_template", _("There is no prompt template with this slug or UUID."))
    for direction in set(section.get("moderation") or {}) - set(Direction):
        yield Problem(f"{path}.moderation.{direction}", _("This must be before or after, with a list of names."))


def _names(section: Mapping[str, Any]) -> Iterator[tuple[str, str, Collection[str], str]]:
    """Each name in the configuration: its place, the name, the names that exist, and the message if it does not."""
    providers = list(conf.providers())
    asked = [("provider", section.get("provider") or "default")]
    asked += [(f"fallbacks[{number}]", name) for number, name in enumerate(section.get("fallbacks") or ())]
    for place, name in asked:
        message = _("This service has no provider of that name. It has: {names}.")
        yield place, conf.resolved_name(name, providers), providers, message
    moderation = section.get("moderation") or {}
    moderators = conf.get("AI_EXTENSIONS_MODERATION.MODERATORS")
    no_tool = _("There is no such tool. Use some of: {names}.")
    no_server = _("The site has no such MCP server. It has: {names}.")
    no_moderator = _("The site has no such moderator. It has: {names}.")
    lists = [
        ("enabled_tools", section.get("enabled_tools"), tool_names(), no_tool),
        ("mcp_configs", section.get("mcp_configs"), conf.get("AI_EXTENSIONS_MCP_CONFIGS"), no_server),
        *((f"moderation.{each}", moderation.get(each), moderators, no_moderator) for each in Direction),
    ]
    for place, names, known, message in lists:
        for position, name in enumerate(names or ()):
            yield f"{place}[{position}]", name, known, message


def _option_problems(path: str, section: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted((section.get("options") or {}).keys() - MODEL_OPTIONS):
        if RESERVED_OPTION.fullmatch(name):
            message = _(
                "A profile cannot set this. The model, its key, its address and its connection "
                "options belong in an entry of the site's setting AI_EXTENSIONS, which the profile "
                "names as its provider."
            )
            yield Problem(f"{path}.{name}", message)
        else:
            message = _(
                "A profile cannot set this option. It is not sent to the model. A parameter that the "
                "provider needs belongs in its entry of the site's setting AI_EXTENSIONS."
            )
            yield Problem(f"{path}.{name}", message, Severity.WARNING)


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
