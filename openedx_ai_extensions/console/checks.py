"""System checks: what ``manage.py check`` says about this app's settings, templates and profiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register  # noqa: A004  # Django's own names
from django.db import connections
from django.utils.module_loading import import_string

from openedx_ai_extensions.console.setting_checks import former_names, setting_errors
from openedx_ai_extensions.contrib.upgrade.guard import ADVICE
from openedx_ai_extensions.contrib.upgrade.history import find, is_ours
from openedx_ai_extensions.core import conf, hooks
from openedx_ai_extensions.core.portable import connection_is_limited, limited_tables
from openedx_ai_extensions.core.provider_parameters import similar_name
from openedx_ai_extensions.core.schema import template_problems
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.moderation import moderator_problem
from openedx_ai_extensions.processors.llm.provider.providers import Capabilities, find_provider
from openedx_ai_extensions.workflows import template_utils
from openedx_ai_extensions.workflows.redundant_keys import redundant_keys

TAG = "ai_extensions"


@register(TAG)
def check_settings(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """Every setting of ours has a value we can use."""
    errors = list(setting_errors())
    if errors:
        return [*errors]
    messages: list[CheckMessage] = [*former_names()]
    if not conf.providers():
        hint = "Without it only mock workflows answer. " + conf.SETTINGS["AI_EXTENSIONS"].meaning
        messages.append(Info("No LLM provider is configured.", hint=hint, id="openedx_ai_extensions.I001"))
    return [*messages, *_backend(), *_default_models(), *_misspelt(), *_capabilities(), *_moderators()]


def _default_models() -> Iterator[CheckMessage]:
    for name in conf.providers():
        entry = conf.provider_entry(name)
        if entry is not None and entry.model and entry.is_default:
            yield Info(
                f"The provider '{name}' of AI_EXTENSIONS names no MODEL: {entry.model} is asked.",
                hint="State MODEL, so that it stays the same with other versions of this package.",
                id="openedx_ai_extensions.I005",
            )


def _misspelt() -> Iterator[CheckMessage]:
    for name in conf.providers():
        entry = conf.provider_entry(name)
        for parameter in entry.parameters if entry is not None else ():
            meant = similar_name(parameter)
            if meant:
                yield Warning(
                    f"The provider '{name}' of AI_EXTENSIONS has {parameter.upper()}, which goes to LiteLLM.",
                    hint=f"Do you mean {meant.upper()}?",
                    id="openedx_ai_extensions.W007",
                )


def _backend() -> Iterator[CheckMessage]:
    path = conf.get("AI_EXTENSIONS_BACKEND")
    try:
        import_string(path)
    except ImportError as error:
        hint = conf.SETTINGS["AI_EXTENSIONS_BACKEND"].meaning
        yield Error(f"AI_EXTENSIONS_BACKEND does not import: {error}", hint=hint, id="openedx_ai_extensions.E002")


def _capabilities() -> Iterator[CheckMessage]:
    for name in conf.providers():
        try:
            _ = find_provider(name).capabilities
        except LLMConfigError:
            known = ", ".join(field.name for field in fields(Capabilities))
            yield Error(
                f"The provider '{name}' of AI_EXTENSIONS states CAPABILITIES that do not exist.",
                hint=f"A dictionary of true and false for any of: {known}.",
                id="openedx_ai_extensions.E005",
            )


def _moderators() -> Iterator[CheckMessage]:
    used = (name for names in conf.site_moderation().values() for name in names)
    for name in dict.fromkeys([*conf.get("AI_EXTENSIONS_MODERATION.MODERATORS"), *used]):
        problem = moderator_problem(name)
        if problem:
            yield Error(
                f"The moderator '{name}' cannot be used: {problem}.",
                hint="Nothing passes where it is asked. "
                + conf.SETTINGS["AI_EXTENSIONS_MODERATION.MODERATORS"].meaning,
                id="openedx_ai_extensions.E006",
            )


@register(TAG)
def check_templates(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """The template directories exist, and every template in them is valid and reachable."""
    if any(message.is_serious() for message in check_settings()):
        return []  # what is wrong there would be said again here
    return [*_directories(), *_templates(), *_shadowed()]


def _directories() -> Iterator[CheckMessage]:
    for directory in template_utils.get_template_directories():
        if not directory.is_dir():
            yield Warning(
                f"The template directory {directory} does not exist.",
                hint="Create it, or take it out of WORKFLOW_TEMPLATE_DIRS.",
                id="openedx_ai_extensions.W001",
            )


def _templates() -> Iterator[CheckMessage]:
    for name, _label in template_utils.discover_templates():
        problem = template_utils.template_problem(name)
        found = [] if problem else template_problems(template_utils.load_template(name))
        errors = [each for each in found if each.severity is hooks.Severity.ERROR]
        for text in [problem] if problem else errors:
            yield Error(
                f"The template {name} is not valid: {text}",
                hint="Profiles that use it show no widget.",
                id="openedx_ai_extensions.E003",
            )
        missing = [each.path for each in found if each not in errors]
        if missing:
            yield Info(
                f"The template {name} is a base to build on. It leaves open: {', '.join(missing)}.",
                hint="Profiles that use it must say these.",
                id="openedx_ai_extensions.I004",
            )


def _shadowed() -> Iterator[CheckMessage]:
    for name, path in template_utils.shadowed_templates():
        yield Info(
            f"The template {path} never loads: an earlier directory has a {name} too.",
            hint="Rename one of them if this is not what you want.",
            id="openedx_ai_extensions.I002",
        )


@register(Tags.database)
def check_character_sets(
    app_configs: Any = None, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """The tables of this app, and the connection to them, take every character."""
    return [message for alias in databases or () for message in _character_sets(alias)]


def _character_sets(alias: str) -> Iterator[CheckMessage]:
    tables = limited_tables(alias)
    if tables:
        yield Warning(
            f"Tables of the database '{alias}' cannot store emoji, nor other characters of four bytes: "
            f"{', '.join(tables)}.",
            hint="Profiles, scopes, prompts, pauses and notices with such characters are refused. Convert each table, "
            "with a backup at hand: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4.",
            id="openedx_ai_extensions.W004",
        )
    elif connection_is_limited(alias):
        yield Warning(
            f"The connection to the database '{alias}' cannot carry emoji, nor other characters of four bytes.",
            hint='Set "charset": "utf8mb4" in the OPTIONS of this database in DATABASES.',
            id="openedx_ai_extensions.W004",
        )


@register(Tags.database)
def check_profiles(
    app_configs: Any = None, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Every profile in the database still builds, and its patch still has something to say."""
    if any(setting_errors()):
        return []  # profiles cannot be judged without the settings
    return [message for alias in databases or () for message in _profiles(alias)]


def _profiles(alias: str) -> Iterator[CheckMessage]:
    connection = connections[alias]
    if AIWorkflowProfile._meta.db_table not in connection.introspection.table_names():
        return  # before the first migration, or another database of a router
    if not is_ours(connection) and find(connection).is_foreign:
        # No error: it would keep other apps from migrating. Migrations of ours stop by themselves.
        yield Warning(
            "The tables of this app were made by another implementation.",
            hint=ADVICE,
            id="openedx_ai_extensions.W003",
        )
        return
    for profile in AIWorkflowProfile.objects.using(alias):
        for problem in profile.problems():
            kind: Any = Error if problem.severity is hooks.Severity.ERROR else Warning
            number = "E004" if kind is Error else "W002"
            yield kind(
                f"The AI workflow profile '{profile.slug}' has a problem. {problem}",
                hint="Edit the profile, or bring back what it needs.",
                obj=profile,
                id=f"openedx_ai_extensions.{number}",
            )
        redundant = redundant_keys(profile.base_filepath, profile.content_patch)
        if redundant:
            paths = ", ".join(problem.path for problem in redundant)
            yield Info(
                f"The patch of the AI workflow profile '{profile.slug}' changes nothing at: {paths}.",
                hint="The template says the same by now, or has no such key. Take these keys out of the patch.",
                obj=profile,
                id="openedx_ai_extensions.I003",
            )
