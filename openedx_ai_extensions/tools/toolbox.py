"""The tools of one conversation, called with untrusted input of a model."""

from __future__ import annotations

import contextvars
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError, connections
from django.utils import translation
from django.utils.translation import gettext as _

from openedx_ai_extensions.core.long_waits import TookTooLong, in_thread, long_wait, require_wanted
from openedx_ai_extensions.exceptions import AIExtensionsError, NotAllowed
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.tools.arguments import parse_arguments
from openedx_ai_extensions.tools.registry import Tool, ToolContext

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ToolResult:
    """The result of a call, for the model.

    Attributes:
        text: the result or the error message. Not fenced: the caller must mark it as data.
        ok: the call succeeded.
        reason: a word for the log.
    """

    text: str
    ok: bool = False
    reason: str = field(default="failed", compare=False)


class Toolbox:
    """The tools of one person at one place; false if there are none. Thread-safe.

    Args:
        tools: of several tools with the same name the first is used, so that a server cannot replace a local tool.
        context: passed to every tool.
    """

    def __init__(self, tools: Iterable[Tool], context: ToolContext) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            if self._tools.setdefault(tool.name, tool) is not tool:
                logger.warning("tool.shadowed name=%s", tool.name)
        self._context = context

    def __bool__(self) -> bool:
        return bool(self._tools)

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """Name, description and parameters of each tool that this person may use here."""
        return [tool.definition for tool in self._tools.values() if self._permits(tool)]

    def call(self, name: str, arguments: str) -> ToolResult:
        """Call a tool. Never raises an error because of the model, the tool or its server.

        Args:
            name: the name that the model sent.
            arguments: the JSON text that the model sent.
        """
        started = time.monotonic()
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is None:
            known = ", ".join(name for name, known in self._tools.items() if self._permits(known)) or "-"
            text = _("There is no such tool here. There are: {names}.").format(names=known)
            result = ToolResult(text, reason="unknown")
        else:
            result = self._run(tool, arguments)
            result = replace(result, text=_fit(result.text, tool.max_chars))
        # An unknown name is the model's text, which must not be logged.
        logged_name = tool.name if tool else "?"
        seconds = time.monotonic() - started
        logger.info("tool.call name=%s ok=%s reason=%s seconds=%.3f", logged_name, result.ok, result.reason, seconds)
        return result

    def _permits(self, tool: Tool) -> bool:
        try:
            return tool.permits(self._context)
        except Exception as error:  # noqa: BLE001  # an extension's own code
            _failure(tool, error)
            return False

    def _run(self, tool: Tool, arguments: str) -> ToolResult:
        """Run a tool in a thread, so that a hanging one can be abandoned."""
        # Asked here rather than in the tool's thread, which needs a database connection only if the tool does.
        try:
            is_permitted = tool.permits(self._context)
        except Exception as error:  # noqa: BLE001  # an extension's own code
            return _failure(tool, error)
        try:
            if not is_permitted:
                raise NotAllowed
            self._require_allowed()
        except AIExtensionsError as error:
            return ToolResult(str(error), reason=error.code)
        deadline = time.monotonic() + tool.timeout
        too_late = ToolResult(_("The tool took too long and was stopped."), reason="timeout")
        if not _has_slot(tool):
            return too_late
        context, language = contextvars.copy_context(), translation.get_language()

        def work() -> ToolResult:
            try:
                return context.run(self._run_in_thread, tool, arguments, language)
            finally:
                try:
                    connections.close_all()
                except DatabaseError as error:
                    _failure(tool, error)
                finally:
                    tool.slots.release()

        try:
            result = in_thread(work, deadline - time.monotonic(), f"tool-{tool.name}")
        except TookTooLong:
            result = too_late
        except RuntimeError as error:  # no more threads
            tool.slots.release()
            return _failure(tool, error)
        require_wanted()
        return result

    def _run_in_thread(self, tool: Tool, arguments: str, language: str | None) -> ToolResult:
        # The copied context does not carry the language over.
        with translation.override(language):
            try:
                result = tool.run(self._context, parse_arguments(tool.parameters, arguments))
                return ToolResult(_as_text(result), ok=True, reason="done")
            except AIExtensionsError as error:
                return ToolResult(str(error), reason=error.code)
            except BaseException as error:  # noqa: BLE001  # else the thread's last words would be its text
                return _failure(tool, error)

    def _require_allowed(self) -> None:
        """Raise Refused if the site's rules do not allow AI for this person any more: time has passed since the run
        began.
        """
        here = self._context
        if here.user is not None:  # without a person there is no place either
            guard = Guard(user=here.user, course_id=here.course_id, location_id=here.location_id)
            guard.require_allowed(asks_model=False)


def _has_slot(tool: Tool) -> bool:
    """Wait for one of the tool's slots, for as long as a call may take."""
    if tool.slots.acquire(blocking=False):
        return True
    with long_wait():
        return tool.slots.acquire(timeout=tool.timeout)


def _failure(tool: Tool, error: BaseException) -> ToolResult:
    """Log an error of a tool. Returns what the model gets to know of it."""
    # The type only: a message or a traceback may quote the learner.
    logger.error("tool.failed name=%s error=%s", tool.name, type(error).__qualname__)
    return ToolResult(_("The tool failed."))


def _as_text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)


def _fit(text: str, limit: int) -> str:
    """Truncate a text to ``limit`` characters at a word, with a last line that says so. Lone surrogates are
    replaced.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates would break the request
    if len(text) <= limit:
        return text
    notice = _("[Cut here: the whole result is {count} characters long.]").format(count=len(text))
    room = max(limit - len(notice) - 1, 0)
    part = text[:room]
    words = part.rsplit(None, 1)
    if len(words) == 2 and len(words[0]) > room // 2:
        part = words[0]
    return f"{part.rstrip()}\n{notice}"
