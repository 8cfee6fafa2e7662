"""Directives that write reference pages from the code itself, so that the two cannot drift apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from code_lists import errors_text, provider_parameters_text, settings_text
from command_lists import commands_text
from docutils import nodes
from event_lists import events_text, log_lines_text
from permission_lists import permissions_text
from rst_tables import plain, table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from template_keys import template_keys_text

from openedx_ai_extensions.processors import EducatorAssistantProcessor, LLMProcessor, OpenEdXProcessor
from openedx_ai_extensions.workflows.template_utils import discover_templates, get_template_directories

_COMMENT = re.compile(r"\s*//\s?(.*)")


class FromCode(SphinxDirective):
    """A subclass says, in reStructuredText, what the code has to say."""

    def text(self) -> str:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(self.text())


class Listed(FromCode):
    """A list that a function writes; the build fails where the function says that something is missing."""

    write: Callable[[], str]

    def text(self) -> str:
        try:
            return type(self).write()
        except ValueError as error:
            raise self.error(str(error)) from error


class Settings(Listed):
    write = staticmethod(settings_text)


class ProviderParameters(Listed):
    write = staticmethod(provider_parameters_text)


class ErrorCodes(Listed):
    write = staticmethod(errors_text)


class Events(Listed):
    write = staticmethod(events_text)


class LogLines(Listed):
    write = staticmethod(log_lines_text)


class Permissions(Listed):
    write = staticmethod(permissions_text)


class Commands(Listed):
    """With a heading for each command."""

    write = staticmethod(commands_text)

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(self.text(), allow_section_headings=True)


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


class TemplateKeys(Listed):
    write = staticmethod(template_keys_text)


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
        "provider-parameters-from-code": ProviderParameters,
        "errors-from-code": ErrorCodes,
        "events-from-code": Events,
        "log-lines-from-code": LogLines,
        "commands-from-code": Commands,
        "permissions-from-code": Permissions,
        "templates-from-code": BuiltInTemplates,
        "template-keys-from-code": TemplateKeys,
        "functions-from-code": ProcessorFunctions,
    }.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
