"""Which tools there are: ``llm_tool`` publishes a function under a name, and profiles enable it by that name."""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from django.core.exceptions import ImproperlyConfigured
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person, Platform
from openedx_ai_extensions.tools.arguments import schema_problem
from openedx_ai_extensions.tools.signature import Signature

if TYPE_CHECKING:
    from openedx_ai_extensions.tools.hints import HintedArguments

TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A tool that hangs takes this many threads of a process, not all that there can be.
MAX_RUNNING_CALLS = 32

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom and where a tool runs: all that it may go by besides its arguments.

    Attributes:
        user: the person who talks with the model; a tool shows and does only what this person may.
        course_id: the course that the person is in, if any.
        location_id: the block that the person is at, if any.
        platform: answers for courses, content and rights.
    """

    user: Person
    course_id: CourseKey | None
    location_id: UsageKey | None
    platform: Platform


Permission = Callable[[ToolContext], bool]


class Tool:
    """Something a model may call. A subclass says what it takes (``parameters``) and what it does (``run``).

    Args:
        name: what the model calls it by.
        description: what it is for, in words for the model.
        permission: who may use it where; everybody when left out.
        timeout: seconds after which nobody waits for it any longer.
        max_chars: longest result; a longer one is cut.
    """

    def __init__(
        self,
        *,
        name: str,
        description: str,
        permission: Permission | None = None,
        timeout: float = 10.0,
        max_chars: int = 20_000,
    ) -> None:
        self.name = name
        self.description = description
        self.permission = permission
        self.timeout = timeout
        self.max_chars = max_chars
        self.slots = threading.BoundedSemaphore(MAX_RUNNING_CALLS)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The JSON schema, of type object, of its arguments."""
        raise NotImplementedError

    @property
    def definition(self) -> dict[str, Any]:
        """Name, description and parameters, as providers want to know them. The caller's own to change."""
        return {"name": self.name, "description": self.description, "parameters": deepcopy(dict(self.parameters))}

    def permits(self, context: ToolContext) -> bool:
        return self.permission is None or bool(self.permission(context))

    def run(self, context: ToolContext, arguments: dict[str, Any]) -> Any:
        """Do it.

        Args:
            arguments: valid by ``parameters``.

        Raises:
            AIExtensionsError: it can't be done; the message is for the model to read.
        """
        raise NotImplementedError


class FunctionTool(Tool):
    """A Python function as a tool."""

    def __init__(self, function: FunctionType, parameters: Mapping[str, Any] | None, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.function = function
        self._signature = Signature.of(function, ToolContext)
        self._own_schema = None if parameters is None else self._signature.fitted_schema(parameters)
        if self._own_schema is None and not self._signature.is_plain:
            _ = self._hinted  # a hint that no schema can say is a mistake to hear of now, not at the first call

    @cached_property
    def _hinted(self) -> HintedArguments:
        # It imports pydantic, which start-up does not wait for.
        from openedx_ai_extensions.tools.hints import HintedArguments

        return HintedArguments(self.name, self._signature.hinted())

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self._hinted.schema if self._own_schema is None else self._own_schema

    def run(self, context: ToolContext, arguments: dict[str, Any]) -> Any:
        values = self._hinted.values(arguments) if self._own_schema is None else arguments
        return self.function(context, **values) if self._signature.takes_context else self.function(**values)


_tools: dict[str, FunctionTool] = {}


@overload
def llm_tool(function: Function, /) -> Function: ...
@overload
def llm_tool(schema: Mapping[str, Any], /) -> Callable[[Function], Function]: ...
@overload
def llm_tool(
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    permission: Permission | None = None,
    timeout: float = 10.0,
    max_chars: int = 20_000,
) -> Callable[[Function], Function]: ...
def llm_tool(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    permission: Permission | None = None,
    timeout: float = 10.0,
    max_chars: int = 20_000,
) -> Any:
    """Decorator: a model may call this function, where a profile enables it.

    The function's first parameter is the ``ToolContext``; a function that needs to know nothing of the person and the
    place may do without. The others are what the model may send, by name: their type hints and defaults make the JSON
    schema, a text in ``Annotated[…]`` describes one (pydantic's ``Field`` does too).
    It runs in a thread of its own, outside the transaction of the request. What it returns goes to the model: a text
    as it is, anything else as JSON. An ``AIExtensionsError`` tells the model what is wrong; any other exception is
    only said to have happened.

    Args:
        function: the function; or, as the only argument, OpenAI's schema of one: ``{"type": "function", "function":
            {"name", "description", "parameters"}}``, or the inner object.
        name: other than the function's own.
        description: other than the first paragraph of the docstring.
        parameters: a JSON schema to use instead of the type hints; then arguments arrive as JSON gives them.
        permission: whether it is offered to this person here.
        timeout: seconds it may take.
        max_chars: longest result; a longer one is cut.

    Raises:
        ImproperlyConfigured: the declaration is wrong, or another function has this name.
    """

    if isinstance(function, Mapping):
        stated = function.get("function", function)
        return llm_tool(**{part: stated[part] for part in ("name", "description", "parameters") if part in stated})

    def publish(target: Function) -> Function:
        _register(
            target,
            name=name,
            description=description,
            parameters=parameters,
            permission=permission,
            timeout=timeout,
            max_chars=max_chars,
        )
        return target

    return publish if function is None else publish(function)


def _register(
    target: Any,
    *,
    name: str | None,
    description: str | None,
    parameters: Mapping[str, Any] | None,
    timeout: float,
    max_chars: int,
    **attributes: Any,
) -> None:
    if not isinstance(target, FunctionType) or inspect.iscoroutinefunction(target):
        raise ImproperlyConfigured(f"A tool must be a function, and not an async one: {target!r}.")
    where = f"{target.__module__}.{target.__qualname__}"
    name = target.__name__ if name is None else name
    if not TOOL_NAME.fullmatch(name):
        raise ImproperlyConfigured(f"{where}: the name {name!r} is not 1 to 64 of A-Z, a-z, 0-9, _ and -.")
    if timeout <= 0 or max_chars <= 0:
        raise ImproperlyConfigured(f"{where}: timeout and max_chars must be greater than 0.")
    problem = None if parameters is None else schema_problem(parameters)
    if problem:
        raise ImproperlyConfigured(f"{where}: its parameters {problem}.")
    known = _tools.get(name)
    # Loaded again, a module replaces its own functions.
    if known is not None and f"{known.function.__module__}.{known.function.__qualname__}" != where:
        raise ImproperlyConfigured(f"{where}: there is a tool {name!r} already, {known.function.__qualname__}.")
    text = _first_paragraph(target) if description is None else description
    _tools[name] = FunctionTool(
        target, parameters, name=name, description=text, timeout=timeout, max_chars=max_chars, **attributes
    )


def _first_paragraph(target: FunctionType) -> str:
    return " ".join((inspect.getdoc(target) or "").partition("\n\n")[0].split())


def find_tool(name: str) -> Tool | None:
    """The tool published under this name, if there is one."""
    return _tools.get(name)


def tool_names() -> frozenset[str]:
    """The names that a profile may enable."""
    return frozenset(_tools)
