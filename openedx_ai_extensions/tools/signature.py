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
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from openedx_ai_extensions.exceptions import InvalidRequest

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
            type hint
                cannot be resolved.
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


class _Untitled(GenerateJsonSchema):
    """Omits titles, which repeat the names and cost tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class HintedArguments:
    """The arguments of a function, described by its type hints.

    Args:
        name: name of the tool.
        parameters: type hint and default (``inspect.Parameter.empty`` for none) by name.

    Raises:
        ImproperlyConfigured: a type hint has no JSON schema.
    """

    def __init__(self, name: str, parameters: Mapping[str, tuple[Any, Any]]) -> None:
        # Fields get generated names: a parameter may have a name that pydantic reserves, such as ``schema``.
        self._names = {f"p{index}": parameter for index, parameter in enumerate(parameters)}
        fields: dict[str, Any] = {
            field: _field(*parameters[parameter], alias=parameter) for field, parameter in self._names.items()
        }
        try:
            self._model: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
            schema = self._model.model_json_schema(schema_generator=_Untitled)
        except (PydanticUserError, TypeError) as error:
            raise ImproperlyConfigured(f"The tool {name!r} has a type hint without a JSON schema: {error}") from error
        schema.pop("title", None)
        self.schema: Mapping[str, Any] = {"type": "object", "properties": {}, **schema}

    def values(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Convert the arguments to the hinted types, such as members of an enum. Missing ones are omitted.

        Raises:
            InvalidRequest: they violate a rule that the schema cannot express.
        """
        try:
            instance = self._model.model_validate(dict(arguments))
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()[:5]]
            raise InvalidRequest([_("The arguments are not valid."), *problems]) from None
        return {self._names[field]: getattr(instance, field) for field in instance.model_fields_set}


def _field(hint: Any, default: Any, *, alias: str) -> tuple[Any, Any]:
    if typing.get_origin(hint) is typing.Annotated:
        bare, *extras = typing.get_args(hint)
        described = [Field(description=extra) if isinstance(extra, str) else extra for extra in extras]
        hint = typing.Annotated[(bare, *described)]
    return hint, Field(alias=alias) if default is inspect.Parameter.empty else Field(default, alias=alias)
