"""Reads the parameters of a tool from its function's signature, without importing pydantic: start-up reads every
tool.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

_PLAIN = frozenset({str, int, float, bool, type(None)})
_PLAIN_ORIGINS = frozenset({list, typing.Union, types.UnionType})
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


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
    def of(cls, function: FunctionType, context_type: type) -> Signature:
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
        takes_context = bool(found) and _is_context(found[0], hints, context_type)
        rest = found[takes_context:]
        if any(hints.get(parameter.name) is context_type for parameter in rest):
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


def _is_context(parameter: inspect.Parameter, hints: Mapping[str, Any], context_type: type) -> bool:
    if parameter.kind not in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
        return False
    if parameter.name in hints:
        return hints[parameter.name] is context_type
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
