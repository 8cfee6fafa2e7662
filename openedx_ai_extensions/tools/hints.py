"""Converts type hints to a JSON schema. The only module that imports pydantic, which is slow to import."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from openedx_ai_extensions.exceptions import InvalidRequest


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
