"""Directives that write reference pages from the code itself, so that the two cannot drift apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from template_keys import MEANINGS, SAME_KEYS

from openedx_ai_extensions import conf
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.processors import EducatorAssistantProcessor, LLMProcessor, OpenEdXProcessor
from openedx_ai_extensions.workflows.schema import WORKFLOW_SCHEMA
from openedx_ai_extensions.workflows.template_utils import discover_templates, get_template_directories

_MARKUP = re.compile(r"([\\*`|_])")
_COMMENT = re.compile(r"\s*//\s?(.*)")


def plain(text: object) -> str:
    """A text as reStructuredText that shows it unchanged."""
    return _MARKUP.sub(r"\\\1", str(text))


def table(header: tuple[str, ...], widths: tuple[int, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A list table in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in (header, *rows):
        first, *others = row
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return "\n".join(lines)


class FromCode(SphinxDirective):
    """A subclass says, in reStructuredText, what the code has to say."""

    def text(self) -> str:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(self.text())


class Settings(FromCode):
    """Every setting: name, default, meaning."""

    def text(self) -> str:
        return "\n".join(
            f".. confval:: {name}\n   :default: ``{self._default(setting.default)}``\n\n   {plain(setting.meaning)}\n"
            for name, setting in conf.SETTINGS.items()
        )

    @staticmethod
    def _default(value: Any) -> str:
        if value == (conf.BUILT_IN_TEMPLATE_DIR,):
            return "[<the built-in templates>]"
        return repr(list(value)) if isinstance(value, tuple) else repr(value)


class ErrorCodes(FromCode):
    """Every error that this app raises on purpose."""

    def text(self) -> str:
        by_code: dict[tuple[int, str], type[AIExtensionsError]] = {}
        for error in self._errors():
            # A child with its parent's code is only for code of ours to catch.
            by_code.setdefault((error.http_status, error.code), error)
        rows = sorted(by_code.items())
        return table(
            ("Code", "HTTP", "What the person reads", "Exception"),
            (25, 8, 47, 20),
            (
                (f"``{code}``", str(status), plain(error.default_message), f"``{error.__name__}``")
                for (status, code), error in rows
            ),
        )

    @staticmethod
    def _errors() -> Iterator[type[AIExtensionsError]]:
        found = [AIExtensionsError]
        while found:
            error = found.pop()
            found += error.__subclasses__()
            yield error


class BuiltInTemplates(FromCode):
    """Every template in the wheel, with its first comment."""

    def text(self) -> str:
        return table(
            ("Template", "What it does"),
            (35, 65),
            ((f"``{name}``", plain(self._first_comment(name))) for name, _title in discover_templates()),
        )

    @staticmethod
    def _first_comment(name: str) -> str:
        path = next(directory / name for directory in get_template_directories() if (directory / name).is_file())
        lines = []
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            comment = _COMMENT.match(line)
            if comment is None or not comment[1]:
                break
            lines.append(comment[1])
        return " ".join(lines)


class TemplateKeys(FromCode):
    """Every key of the template's schema; the build fails where one has no meaning written for it, or lost its key."""

    def text(self) -> str:
        keys = dict(self._keys("", WORKFLOW_SCHEMA))
        if keys.keys() != MEANINGS.keys():
            raise self.error(f"template_keys.py and the schema differ in: {sorted(keys.keys() ^ MEANINGS.keys())}")
        return "\n".join(f"``{path}`` : {value}\n   {MEANINGS[path]}\n" for path, value in keys.items())

    def _keys(self, parent: str, schema: Any) -> Iterator[tuple[str, str]]:
        required = schema.get("required", ())
        for name, child in schema.get("properties", {}).items():
            path = f"{parent}.{name}".lstrip(".")
            yield path, self._value(child) + (", required" if name in required else "")
            if path not in SAME_KEYS:
                yield from self._keys(path, child)

    @staticmethod
    def _value(schema: Any) -> str:
        if "const" in schema:
            return f'always ``"{schema["const"]}"``'
        if "enum" in schema:
            return " or ".join(f"``{choice}``" for choice in schema["enum"])
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return " or ".join(types)


class ProcessorFunctions(FromCode):
    """The functions that a profile may name, by processor."""

    def text(self) -> str:
        return table(
            ("Processor", "Functions"),
            (25, 75),
            (
                (f"``{processor.__name__}``", ", ".join(f"``{name}``" for name in sorted(processor.functions())))
                for processor in (OpenEdXProcessor, LLMProcessor, EducatorAssistantProcessor)
            ),
        )


def setup(app: Sphinx) -> dict[str, bool]:
    for name, directive in {
        "settings-from-code": Settings,
        "errors-from-code": ErrorCodes,
        "templates-from-code": BuiltInTemplates,
        "template-keys-from-code": TemplateKeys,
        "functions-from-code": ProcessorFunctions,
    }.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
