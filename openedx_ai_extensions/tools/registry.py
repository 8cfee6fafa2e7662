"""The registered tools: ``llm_tool`` registers a function under a name, and profiles enable it by that name.

Start-up reads the signature of every tool, so it does so without pydantic, which is slow to import.
"""

from __future__ import annotations

import enum
import inspect
import re
import threading
import types
import typing
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from django.core.exceptions import ImproperlyConfigured
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person, Platform
from openedx_ai_extensions.prompts.citations import Passages
from openedx_ai_extensions.tools.arguments import schema_problem

if TYPE_CHECKING:
    from openedx_ai_extensions.tools.hints import HintedArguments

TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Limits the threads that hanging calls of one tool can block.
MAX_RUNNING_CALLS = 32

# Type hints that certainly have a JSON schema.
_PLAIN = frozenset({str, int, float, bool, type(None)})
_PLAIN_ORIGINS = frozenset({list, typing.Union, types.UnionType})
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The person and the place of a tool call.

    Attributes:
        user: the person who talks with the model; a tool must respect this person's permissions.
        course_id: the person's course, if any.
        location_id: the person's current block, if any.
        platform: provides courses, content and permissions.
        passages: where a tool labels the passages of the course that it returns; None if the answer cites nothing.
    """

    user: Person
    course_id: CourseKey | None
    location_id: UsageKey | None
    platform: Platform
    passages: Passages | None = None


Permission = Callable[[ToolContext], bool]


class Tool:
    """A function that a model may call. A subclass implements ``parameters`` and ``run``.

    Args:
        name: the name for the model.
        description: the description for the model.
        permission: who may use it where; everyone by default.
        timeout: seconds after which a call is abandoned.
        max_chars: the maximum length of a result; longer ones are truncated.
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
        """The JSON schema of the arguments, of type object."""
        raise NotImplementedError

    @property
    def definition(self) -> dict[str, Any]:
        """Name, description and parameters, in the form that providers expect; a new object."""
        return {"name": self.name, "description": self.description, "parameters": deepcopy(dict(self.parameters))}

    def permits(self, context: ToolContext) -> bool:
        return self.permission is None or bool(self.permission(context))

    def run(self, context: ToolContext, arguments: dict[str, Any]) -> Any:
        """Run the tool.

        Args:
            arguments: valid by ``parameters``.

        Raises:
            AIExtensionsError: it failed; the message is for the model.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a tool's function, without its context.

    Attributes:
        where: the function's full name, for messages.
        takes_context: its first parameter is the context.
        parameters: by name, in order.
        hints: the type hints by name.
        takes_any: it has a ``**`` parameter.
    """

    where: str
    takes_context: bool
    parameters: Mapping[str, inspect.Parameter]
    hints: Mapping[str, Any]
    takes_any: bool

    @classmethod
    def of(cls, function: FunctionType) -> Signature:
        """Read a function's signature.

        Raises:
            ImproperlyConfigured: the context is not the first parameter, a parameter cannot be passed by name, or a
                type hint cannot be resolved.
        """
        where = f"{function.__module__}.{function.__qualname__}"
        try:
            hints = typing.get_type_hints(function, include_extras=True)
        except (NameError, TypeError, AttributeError, SyntaxError) as error:
            raise ImproperlyConfigured(f"{where}: its type hints can't be read at run time: {error}.") from error
        found = list(inspect.signature(function).parameters.values())
        takes_context = bool(found) and _is_context(found[0], hints)
        rest = found[takes_context:]
        if any(hints.get(parameter.name) is ToolContext for parameter in rest):
            raise ImproperlyConfigured(f"{where}: the context, 'context: ToolContext', must be its first parameter.")
        named = {parameter.name: parameter for parameter in rest if parameter.kind in _BY_NAME}
        takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in found)
        if len(rest) - takes_any != len(named):
            raise ImproperlyConfigured(f"{where}: arguments come by name, so none may be positional only or a '*' one.")
        return cls(where, takes_context, named, hints, takes_any)

    @property
    def is_plain(self) -> bool:
        """Do all type hints certainly have a JSON schema?"""
        return all(_is_plain(hint) for hint, _default in self.hinted().values())

    def hinted(self) -> dict[str, tuple[Any, Any]]:
        """The type hint and default (``inspect.Parameter.empty`` for none) of each parameter.

        Raises:
            ImproperlyConfigured: a parameter has no type hint.
        """
        unhinted = [name for name in self.parameters if name not in self.hints]
        if unhinted or self.takes_any:
            what = f"{unhinted[0]} has no type hint" if unhinted else "it takes any keyword"
            raise ImproperlyConfigured(f"{self.where}: {what}; add one, or give the parameters as a JSON schema.")
        return {name: (self.hints[name], parameter.default) for name, parameter in self.parameters.items()}

    def fitted_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema, completed for this function: properties that the function does not accept are forbidden.

        Raises:
            ImproperlyConfigured: schema and function do not match.
        """
        properties, required = schema.get("properties", {}), schema.get("required", ())
        unknown = [] if self.takes_any else [name for name in properties if name not in self.parameters]
        if unknown:
            raise ImproperlyConfigured(f"{self.where}: it does not take {unknown[0]}, which its parameters have.")
        for name, parameter in self.parameters.items():
            if parameter.default is inspect.Parameter.empty and name not in required:
                raise ImproperlyConfigured(f"{self.where}: {name} has no default, so its parameters must require it.")
        fitted: dict[str, Any] = deepcopy(dict(schema))
        if not self.takes_any:
            fitted.setdefault("additionalProperties", False)
        return fitted


def _is_context(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> bool:
    if parameter.kind not in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
        return False
    if parameter.name in hints:
        return hints[parameter.name] is ToolContext
    return parameter.name.strip("_") in {"context", "ctx"}


def _is_plain(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return all(isinstance(member.value, str | int) for member in hint)
    if isinstance(hint, type):
        return hint in _PLAIN
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return all(isinstance(value, str | int) for value in arguments)
    if origin is typing.Annotated:
        return _is_plain(arguments[0]) and all(isinstance(extra, str) for extra in arguments[1:])
    return origin in _PLAIN_ORIGINS and all(_is_plain(argument) for argument in arguments)


class FunctionTool(Tool):
    """A tool that is a Python function."""

    def __init__(self, function: FunctionType, parameters: Mapping[str, Any] | None, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.function = function
        self._signature = Signature.of(function)
        self._own_schema = None if parameters is None else self._signature.fitted_schema(parameters)
        if self._own_schema is None and not self._signature.is_plain:
            _ = self._hinted  # Raises an error for an unsupported type hint now, not at the first call.

    @cached_property
    def _hinted(self) -> HintedArguments:
        # Imported here, because it imports pydantic, which would slow down start-up.
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
    """Decorator: register this function as a tool, which profiles can enable.

    The function's first parameter is the ``ToolContext``; it may be omitted. The other parameters are the arguments
    that the model sends: their type hints and defaults form the JSON schema, a text in ``Annotated[…]`` is the
    description of one (pydantic's ``Field`` works too).
    The function runs in a separate thread, outside of the request's transaction. Its result is sent to the model: a
    text unchanged, anything else as JSON. The model gets the message of an ``AIExtensionsError``; of any other
    exception only that the tool failed.

    Args:
        function: the function; or, as the only argument, OpenAI's schema of one: ``{"type": "function", "function":
            {"name", "description", "parameters"}}``, or the inner object.
        name: the function's name by default.
        description: the first paragraph of the docstring by default.
        parameters: a JSON schema to use instead of the type hints; the arguments are not converted then.
        permission: is the tool offered to this person here?
        timeout: seconds that a call may take.
        max_chars: the maximum length of a result; longer ones are truncated.

    Raises:
        ImproperlyConfigured: the declaration is not valid, or another function has this name.
    """

    if isinstance(function, Mapping):
        stated = function.get("function", function)
        return llm_tool(**{part: stated[part] for part in ("name", "description", "parameters") if part in stated})

    def publish(target: Function) -> Function:
        if not isinstance(target, FunctionType) or inspect.iscoroutinefunction(target):
            raise ImproperlyConfigured(f"A tool must be a function, and not an async one: {target!r}.")
        where = f"{target.__module__}.{target.__qualname__}"
        own_name = target.__name__ if name is None else name
        if not TOOL_NAME.fullmatch(own_name):
            raise ImproperlyConfigured(f"{where}: the name {own_name!r} is not 1 to 64 of A-Z, a-z, 0-9, _ and -.")
        if timeout <= 0 or max_chars <= 0:
            raise ImproperlyConfigured(f"{where}: timeout and max_chars must be greater than 0.")
        problem = None if parameters is None else schema_problem(parameters)
        if problem:
            raise ImproperlyConfigured(f"{where}: its parameters {problem}.")
        known = _tools.get(own_name)
        # A module that is reloaded replaces its own functions.
        if known is not None and f"{known.function.__module__}.{known.function.__qualname__}" != where:
            raise ImproperlyConfigured(f"{where}: there is a tool {own_name!r} already, {known.function.__qualname__}.")
        first_paragraph = " ".join((inspect.getdoc(target) or "").partition("\n\n")[0].split())
        _tools[own_name] = FunctionTool(
            target,
            parameters,
            name=own_name,
            description=first_paragraph if description is None else description,
            permission=permission,
            timeout=timeout,
            max_chars=max_chars,
        )
        return target

    return publish if function is None else publish(function)


def find_tool(name: str) -> Tool | None:
    """The tool registered under this name, or None."""
    return _tools.get(name)


def tool_names() -> frozenset[str]:
    """The names of all registered tools."""
    return frozenset(_tools)
