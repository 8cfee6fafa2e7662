"""JSON schemas, briefly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_OR_NO: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}


def described(schema: Schema, description: str, **more: Any) -> Schema:
    """The same schema with words for people, and with whatever else is told."""
    return {**schema, "description": description, **more}


def an_object(
    required: dict[str, Schema] | None = None, optional: dict[str, Schema] | None = None, **more: Any
) -> Schema:
    """An object with these properties; others are allowed."""
    schema: Schema = {"type": "object", "properties": {**(required or {}), **(optional or {})}, **more}
    return {**schema, "required": list(required)} if required else schema


def a_list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def one_word(word: str) -> Schema:
    """This text and no other."""
    return {"type": "string", "const": word}


def words(choices: Iterable[str], **more: Any) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": [str(choice) for choice in choices], **more}


def ref(name: str) -> Schema:
    """A schema of the shared ones, by name."""
    return {"$ref": f"#/components/schemas/{name}"}
