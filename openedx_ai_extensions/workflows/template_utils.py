"""Discover, load, merge and validate workflow templates: read-only JSON5 files inside the configured directories."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from jsonmerge import Merger
from jsonmerge.jsonvalue import JSONValue
from jsonmerge.strategies import Strategy

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.json5 import Unreadable, is_silent, place_of, read
from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.core.schema import schema_problems
from openedx_ai_extensions.workflows.widget_texts import in_active_language

logger = logging.getLogger(__name__)

SUFFIXES = (".json5", ".json")


class JSON5DecodeError(ValueError):
    """A string is not JSON5, or not an object.

    Attributes:
        lineno, colno: the position, starting at 1; None if the whole value is wrong.
        reason: the problem.
    """

    def __init__(self, reason: str, lineno: int | None = None, colno: int | None = None) -> None:
        self.reason = reason
        self.lineno = lineno
        self.colno = colno
        super().__init__(reason)

    def __str__(self) -> str:
        if self.lineno is None:
            return self.reason
        return _("Line {line}, column {column}: {reason}").format(
            line=self.lineno, column=self.colno, reason=self.reason
        )


def parse_json5_string(json5_string: str) -> dict[str, Any]:
    """Parse a JSON5 object. A text with nothing but comments is ``{}``.

    Raises:
        JSON5DecodeError: the text is not JSON5, not an object, too long or too deep, or it contains a value that cannot
            be stored, shown or sent, such as NaN, a number beyond 64 bits, a lone surrogate, a control character, or a
            duplicate name.
    """
    if not json5_string.strip():
        return {}
    try:
        # A text of comments alone must satisfy the same rules.
        parsed = read(f"{json5_string}\n{{}}" if is_silent(json5_string) else json5_string)
    except Unreadable as error:
        raise JSON5DecodeError(error.reason, *place_of(json5_string, error.offset)) from None
    if not isinstance(parsed, dict):
        raise JSON5DecodeError(_("It must be an object: { … }."))
    return parsed


def get_template_directories() -> list[Path]:
    """The template directories; earlier ones take precedence."""
    return [Path(directory) for directory in conf.get("WORKFLOW_TEMPLATE_DIRS")]


def is_safe_template_path(template_path: str) -> bool:
    """Is this a plain relative path to a template inside the template directories, symlinks resolved?

    The file need not exist. Encoded and platform-specific forms are refused.
    """
    if not isinstance(template_path, str) or not template_path.endswith(SUFFIXES):
        return False
    if any(sign in template_path for sign in ("\\", "%", ":", "~")) or not template_path.isprintable():
        return False
    parts = template_path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return False
    return all(_inside(directory, template_path) for directory in get_template_directories())


def _inside(directory: Path, template_path: str) -> bool:
    try:
        return (directory / template_path).resolve().is_relative_to(directory.resolve())
    except (OSError, RuntimeError):  # a loop of symlinks, a name too long
        return False


def _candidates(template_path: str) -> Iterator[Path]:
    """The existing files of that name, in the order of the directories."""
    for directory in get_template_directories():
        path = directory / template_path
        try:
            is_there = path.is_file()
        except OSError:  # a name too long, a directory we may not enter
            is_there = False
        if is_there:
            yield path


def discover_templates() -> list[tuple[str, str]]:
    """All templates as ``(relative path, display name)``, sorted by path, for Django choices."""
    return [(name, _display_name(name)) for name in sorted({name for name, _path in _files()})]


def shadowed_templates() -> list[tuple[str, Path]]:
    """Templates that an earlier directory hides: ``(name, hidden file)``."""
    seen: set[str] = set()
    hidden = []
    for name, path in _files():
        if name in seen:
            hidden.append((name, path))
        seen.add(name)
    return hidden


def _files() -> Iterator[tuple[str, Path]]:
    for directory in get_template_directories():
        for path in sorted(directory.rglob("*")) if directory.is_dir() else ():
            name = path.relative_to(directory).as_posix()
            if path.is_file() and is_safe_template_path(name):
                yield name, path


def _display_name(name: str) -> str:
    path = PurePosixPath(name)
    title = path.stem.replace("_", " ").replace("-", " ").capitalize()
    return f"{title} ({path.parent})" if path.parent.name else title


def load_template(template_path: str) -> dict[str, Any] | None:
    """The parsed template as a new object; None if its path is unsafe, or it is missing or not JSON5."""
    version = template_version(template_path)
    parsed = None if version is None else _parse_file(*version)
    return copy.deepcopy(parsed)


def template_problem(template_path: str) -> str | None:
    """Why a template cannot be loaded, for an operator; None if it can."""
    if not is_safe_template_path(template_path):
        return _("This is not a path to a template inside the template directories.")
    path = next(_candidates(template_path), None)
    if path is None:
        return _("No template directory has this file.")
    try:
        parse_json5_string(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        return _not_utf8(error)
    except (JSON5DecodeError, OSError) as error:
        return str(error)
    return None


def _not_utf8(error: UnicodeDecodeError) -> str:
    before = error.object[: error.start].decode("utf-8", "replace")
    line, column = place_of(before, len(before))
    reason = _("This is not UTF-8 text.")
    return _("Line {line}, column {column}: {reason}").format(line=line, column=column, reason=reason)


TemplateVersion = tuple[str, int, int]


def template_version(template_path: str) -> TemplateVersion | None:
    """Identifies the template's current content: path, mtime in nanoseconds, size in bytes.

    Costs one ``stat`` per directory; the check of the path is cached.
    """
    for path in _safe_paths(template_path, tuple(get_template_directories())):
        try:
            stat = path.stat()
        except OSError:
            continue
        return str(path), stat.st_mtime_ns, stat.st_size
    return None


@lru_cache(maxsize=256)
def _safe_paths(template_path: str, directories: tuple[Path, ...]) -> tuple[Path, ...]:
    if not is_safe_template_path(template_path):
        return ()
    return tuple(directory / template_path for directory in directories)


@lru_cache(maxsize=256)
def _parse_file(path: str, _mtime_ns: int, _size: int) -> dict[str, Any] | None:
    try:
        return parse_json5_string(Path(path).read_text(encoding="utf-8"))
    except (JSON5DecodeError, UnicodeDecodeError, OSError) as error:
        logger.warning("template.unusable path=%s reason=%s", path, error)
        return None


class _MergePatch(Strategy):
    """RFC 7386: null deletes, objects merge, all other values replace."""

    def merge(self, walk: Any, base: JSONValue, head: JSONValue, schema: JSONValue, **_kwargs: Any) -> JSONValue:
        merged = _merge_patch(None if base.is_undef() else base.val, head.val)
        return JSONValue(copy.deepcopy(merged), head.ref)

    def get_schema(self, walk: Any, schema: JSONValue, **_kwargs: Any) -> JSONValue:
        return schema


def _merge_patch(target: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge_patch(merged.get(name), value)
    return merged


def merge_template_with_patch(base_template: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Apply a JSON Merge Patch (RFC 7386). Neither argument is changed.

    Args:
        base_template: any JSON value; the RFC's target.
        patch: any JSON value.
    """
    # A Merger is not thread-safe, so a new one is created.
    merger = Merger({"mergeStrategy": "mergePatch"}, {"mergePatch": _MergePatch()})
    merged: dict[str, Any] = merger.merge(base_template, patch)
    return merged


def get_effective_config(base_filepath: str, content_patch: dict[str, Any] | None) -> dict[str, Any] | None:
    """The template with the patch applied, as a new object; None if the template cannot be loaded.

    Args:
        base_filepath: the template's path inside its directory.
        content_patch: None if there is none.
    """
    base = load_template(base_filepath)
    return base if base is None or content_patch is None else merge_template_with_patch(base, content_patch)


def effective_config(base_filepath: str, content_patch: str | None) -> dict[str, Any] | None:
    """As ``get_effective_config``, for a patch as text; cached.

    An invalid patch is ignored. The returned value is shared: copy it before changing it.
    """
    version = template_version(base_filepath)
    return None if version is None else _effective_config(version, content_patch)


def shown_components(base_filepath: str, content_patch: str | None) -> Mapping[str, Any]:
    """The UI components as everybody may see them, in the active language and without credentials.

    Cached, so they must not be changed.
    """
    version = template_version(base_filepath)
    return _shown_components(version, content_patch, get_language()) if version else {}


@lru_cache(maxsize=1024)  # profiles by languages
def _shown_components(version: TemplateVersion, content_patch: str | None, _language: str | None) -> Mapping[str, Any]:
    components = _components(_effective_config(version, content_patch))
    texts = in_active_language(components, _components(_parse_file(*version)))
    return redact(texts, configured_secrets())


def _components(config: Mapping[str, Any] | None) -> Mapping[str, Any]:
    actuator = (config or {}).get("actuator_config")
    components = actuator.get("UIComponents") if isinstance(actuator, Mapping) else None
    return components if isinstance(components, Mapping) else {}


conf.when_changed(_shown_components.cache_clear)


@lru_cache(maxsize=256)
def _effective_config(version: TemplateVersion, content_patch: str | None) -> dict[str, Any] | None:
    base = _parse_file(*version)
    return None if base is None else merge_template_with_patch(base, lenient_patch(content_patch))


def is_valid_config(base_filepath: str, content_patch: str | None) -> bool:
    """Does the template load, is the patch JSON5, and is the result valid by the schema?"""
    version = template_version(base_filepath)
    return version is not None and _is_valid_config(version, content_patch)


@lru_cache(maxsize=256)
def _is_valid_config(version: TemplateVersion, content_patch: str | None) -> bool:
    config = _effective_config(version, content_patch)
    return config is not None and patch_problem(content_patch) is None and not schema_problems(config)


def lenient_patch(content_patch: str | None) -> dict[str, Any]:
    """The patch as a dict; empty if there is none or it is not a JSON5 object."""
    try:
        return parse_patch(content_patch)
    except JSON5DecodeError:
        return {}


def patch_problem(content_patch: str | None) -> str | None:
    """Why a patch cannot be parsed, with line and column; None if it can, or there is none."""
    try:
        parse_patch(content_patch)
    except JSON5DecodeError as error:
        return str(error)
    return None


def parse_patch(content_patch: str | None) -> dict[str, Any]:
    """The patch as a new dict; empty if it is blank. Cached.

    Raises:
        JSON5DecodeError: it is not JSON5, or not an object.
    """
    return copy.deepcopy(_parsed_patch(content_patch or ""))


# A single save parses the patch several times.
_parsed_patch = lru_cache(maxsize=256)(parse_json5_string)


def validate_workflow_config(config: dict[str, Any]) -> tuple[bool, list[str]]:
    """Check a configuration against schema 1.0.

    Returns:
        ``(is_valid, messages)``; each message contains the JSON path, the problem and the allowed values.
    """
    messages = [str(problem) for problem in schema_problems(config)]
    return not messages, messages


def pretty(config: Mapping[str, Any] | None) -> str:
    """A configuration as indented JSON, for people."""
    return json.dumps(config, indent=2, ensure_ascii=False)
