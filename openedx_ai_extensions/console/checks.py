"""System checks: what ``manage.py check`` reports about this app's settings, templates and profiles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register  # noqa: A004  # Django's own names
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

from openedx_ai_extensions.contrib.upgrade.foreign_tables import ADVICE, find, is_ours
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.portable import connection_is_limited, limited_tables
from openedx_ai_extensions.core.provider_entries import ProviderEntry
from openedx_ai_extensions.core.provider_parameters import similar_name
from openedx_ai_extensions.core.schema import template_problems
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.moderation import moderator_problem
from openedx_ai_extensions.processors.llm.provider.providers import Capabilities, find_provider
from openedx_ai_extensions.tasks import run_workflow
from openedx_ai_extensions.workflows import template_utils
from openedx_ai_extensions.workflows.patches import redundant_keys

TAG = "ai_extensions"
CLASSES: Mapping[str, Callable[..., CheckMessage]] = {"E": Error, "W": Warning, "I": Info}
# Stands for values in messages: they may be long, or secret.
OMITTED = "…"


def _message(number: str, text: str, hint: str, obj: Any = None) -> CheckMessage:
    return CLASSES[number[0]](text, hint=hint, obj=obj, id=f"openedx_ai_extensions.{number}")


@register(TAG)
def check_settings(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """Every setting of this app has a valid value."""
    return list(setting_errors()) or [*_former_names(), *_providers(), *_backend(), *_moderators(), *_broker()]


def setting_errors() -> Iterator[CheckMessage]:
    """Invalid settings, by the names under which the site has written them."""
    unusable = set()
    for dictionary, meaning in conf.DICTIONARIES.items():
        try:
            stated = conf.stated_keys(dictionary)
        except ImproperlyConfigured as error:
            unusable.add(dictionary)
            yield _message("E001", f"{error}.", meaning)
            continue
        if len(stated) < len(getattr(settings, dictionary, {})):
            yield _message("E001", f"{dictionary} has a key twice, in different spellings.", "Write each key once.")
        yield from _unknown_keys(dictionary, stated)
    for name, setting in conf.SETTINGS.items():
        found = None if name.partition(".")[0] in unusable else conf.written(name)
        problem = setting.problem(found[1]) if found else None
        if found and problem:
            yield _message("E001", f"{found[0]} {problem}.", setting.meaning)


def _unknown_keys(dictionary: str, stated: Mapping[str, Any]) -> Iterator[CheckMessage]:
    known = list(_former_by_key(dictionary))
    for key in stated:
        if key not in known:
            (nearest,) = get_close_matches(key, known, n=1, cutoff=0)
            text = f'{dictionary}["{key}"] does not exist. Do you mean {dictionary}["{nearest}"]?'
            yield _message("E001", text, f"Keys of {dictionary}: {', '.join(known)}.")


def _former_names() -> Iterator[CheckMessage]:
    """Former names that the site still uses, and what replaces them."""
    for dictionary in conf.DICTIONARIES:
        stated = conf.stated_keys(dictionary)
        found = {key: name for key, name in _former_by_key(dictionary).items() if name and hasattr(settings, name)}
        for key in found.keys() & stated:
            text = f'{found[key]} is ignored, because {dictionary}["{key}"] is set.'
            yield _message("W006", text, f"Remove {found[key]}.")
        read = {key: getattr(settings, name) for key, name in found.items() if key not in stated}
        if read:
            names = ", ".join(found[key] for key in read)
            line = f"{dictionary} = {{{', '.join(_as_python({**stated, **read}))}}}"
            note = f" ({OMITTED} stands for the present value.)" if OMITTED in line else ""
            text = f"Settings with former names, which a later release will ignore: {names}."
            yield _message("W005", text, f"Write instead: {line}{note}")


def _former_by_key(dictionary: str) -> dict[str, str]:
    """The former name of each key of a dictionary."""
    prefix = f"{dictionary}."
    settings_of = (each for each in conf.SETTINGS.items() if each[0].startswith(prefix))
    return {name.removeprefix(prefix): setting.former for name, setting in settings_of}


def _as_python(stated: Mapping[str, Any]) -> Iterator[str]:
    for key, value in stated.items():
        if isinstance(value, Mapping):
            yield f'"{key}": {{{OMITTED}}}'
        elif isinstance(value, list | tuple):
            yield f'"{key}": [{OMITTED}]'
        else:
            yield f'"{key}": {json.dumps(value) if isinstance(value, str) else value}'


def _providers() -> Iterator[CheckMessage]:
    if not conf.providers():
        hint = "Without a provider, only mock workflows answer. " + conf.SETTINGS["AI_EXTENSIONS"].meaning
        yield _message("I001", "No LLM provider is configured.", hint)
    for name in conf.providers():
        subject = f"The provider '{name}' of AI_EXTENSIONS"
        entry = conf.provider_entry(name)
        if entry is not None and entry.model and entry.is_default:
            hint = "State MODEL, so that other versions of this package use the same model."
            yield _message("I005", f"{subject} has no MODEL; it uses {entry.model}.", hint)
        for parameter in entry.parameters if entry is not None else ():
            meant = similar_name(parameter)
            if meant:
                text = f"{subject} has {parameter.upper()}, which is passed to LiteLLM."
                yield _message("W007", text, f"Do you mean {meant.upper()}?")
        if entry is not None and _lacks_processor(entry):
            text = f"{subject} has an address of its own, and no PROCESSOR. AI notices show its host."
            yield _message("W009", text, "State PROCESSOR: who processes what people write, as a notice names them.")
        try:
            _ = find_provider(name).capabilities
        except LLMConfigError:
            known = ", ".join(field.name for field in fields(Capabilities))
            hint = f"CAPABILITIES must be a dictionary with true or false for any of: {known}."
            yield _message("E005", f"{subject} has CAPABILITIES that do not exist.", hint)


def _lacks_processor(entry: ProviderEntry) -> bool:
    """Do AI notices show a host, because the entry does not say who processes the data? Mock entries send no data."""
    return bool(entry.foreign_host) and not {"mock_response", "processor"} & entry.parameters.keys()


def _backend() -> Iterator[CheckMessage]:
    name = "AI_EXTENSIONS_BACKEND"
    try:
        import_string(conf.get(name))
    except ImportError as error:
        yield _message("E002", f"{name} cannot be imported: {error}", conf.SETTINGS[name].meaning)


def _moderators() -> Iterator[CheckMessage]:
    setting = "AI_EXTENSIONS_MODERATION.MODERATORS"
    used = (name for names in conf.site_moderation().values() for name in names)
    for name in dict.fromkeys([*conf.get(setting), *used]):
        problem = moderator_problem(name)
        if problem:
            hint = "Requests that need it are refused. " + conf.SETTINGS[setting].meaning
            yield _message("E006", f"The moderator '{name}' cannot be used: {problem}.", hint)


def _broker() -> Iterator[CheckMessage]:
    celery = run_workflow.app.conf
    if not celery.task_always_eager and not celery.broker_write_url:
        hint = "Configure a Celery app with CELERY_BROKER_URL, and start a worker. Workflows that do not run in the "
        hint += "background work without."
        text = "Celery has no broker. Background runs are refused with service_unavailable."
        yield _message("W008", text, hint)


@register(TAG)
def check_templates(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """The template directories exist, and each of their templates is valid and can be loaded."""
    if any(message.is_serious() for message in check_settings()):
        return []  # a wrong setting would be reported again here
    return list(_templates())


def _templates() -> Iterator[CheckMessage]:
    for directory in template_utils.get_template_directories():
        if not directory.is_dir():
            hint = "Create it, or remove it from WORKFLOW_TEMPLATE_DIRS."
            yield _message("W001", f"The template directory {directory} does not exist.", hint)
    for name, _label in template_utils.discover_templates():
        problems = problems_of_template(name)
        for problem in problems:
            if problem.severity is Severity.ERROR:
                text = f"The template {name} is not valid: {problem.text}"
                yield _message("E003", text, "Profiles that use it show no widget.")
        missing = [problem.path for problem in problems if problem.severity is not Severity.ERROR]
        if missing:
            text = f"The template {name} is incomplete. Missing: {', '.join(missing)}."
            yield _message("I004", text, "Profiles that use it must add these values.")
    for name, path in template_utils.shadowed_templates():
        text = f"The template {path} is never loaded: an earlier directory also has {name}."
        yield _message("I002", text, "Rename one of them, unless this is intended.")


def problems_of_template(name: str) -> list[Problem]:
    """Why a template cannot be loaded, or does not follow the schema; warnings are for values that profiles may add."""
    problem = template_utils.template_problem(name)
    return [Problem("$", problem)] if problem else template_problems(template_utils.load_template(name))


@register(Tags.database)
def check_database(
    app_configs: Any = None, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """The tables support all of Unicode; every profile is valid, and every key of its patch has an effect."""
    found = [message for alias in databases or () for message in _character_sets(alias)]
    if any(setting_errors()):
        return found  # profiles depend on the settings
    return [*found, *(message for alias in databases or () for message in _profiles(alias))]


def _character_sets(alias: str) -> Iterator[CheckMessage]:
    tables = limited_tables(alias)
    if tables:
        text = f"Tables of the database '{alias}' cannot store emoji, nor other characters of four bytes"
        hint = "Profiles, scopes, prompts, pauses and notices with such characters are refused. Make a backup and "
        hint += "convert each table: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4."
        yield _message("W004", f"{text}: {', '.join(tables)}.", hint)
    elif connection_is_limited(alias):
        text = f"The connection to the database '{alias}' cannot transmit emoji, nor other characters of four bytes."
        yield _message("W004", text, 'Set "charset": "utf8mb4" in the OPTIONS of this database in DATABASES.')


def _profiles(alias: str) -> Iterator[CheckMessage]:
    connection = connections[alias]
    if AIWorkflowProfile._meta.db_table not in connection.introspection.table_names():
        return  # before the first migration, or another database of a router
    if not is_ours(connection) and find(connection).is_foreign:
        # Not an error, which would keep other apps from migrating. Our migrations refuse to run in this case.
        yield _message("W003", "The tables of this app were made by another implementation.", ADVICE)
        return
    for profile in AIWorkflowProfile.objects.using(alias):
        for problem in profile.problems():
            number = "E004" if problem.severity is Severity.ERROR else "W002"
            text = f"The AI workflow profile '{profile.slug}' has a problem. {problem}"
            yield _message(number, text, "Edit the profile, or restore what it needs.", profile)
        redundant = redundant_keys(profile.base_filepath, profile.content_patch)
        if redundant:
            paths = ", ".join(problem.path for problem in redundant)
            text = f"The patch of the AI workflow profile '{profile.slug}' has no effect at: {paths}."
            hint = "The template has the same values, or no such keys. Remove these keys from the patch."
            yield _message("I003", text, hint, profile)
