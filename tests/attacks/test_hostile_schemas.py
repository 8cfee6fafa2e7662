"""The schema of a stranger's tool is checked within bounds: it may say in a few lines what takes for ever."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest

from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.tools.arguments import parse_arguments, schema_problem

ENOUGH = 15  # seconds of this thread's own work
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def doubling(keyword: str, leaf: object) -> dict:
    """Each definition refers twice to the next one."""
    last = 40
    definitions = {f"d{i}": {keyword: [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(last)}
    return {"type": "object", "$defs": {**definitions, f"d{last}": leaf}}


def seconds(schema: dict, arguments: object) -> float:
    start = time.thread_time()
    if schema_problem(schema) is None:
        with suppress(InvalidRequest):
            parse_arguments(schema, json.dumps(arguments))
    return time.thread_time() - start


SLOW = {
    "all of": ({**doubling("allOf", {"type": "object"}), "$ref": "#/$defs/d0"}, {}),
    "any of": ({**doubling("anyOf", {"type": "string"}), "$ref": "#/$defs/d0"}, {}),
    "one of, in a member": (
        {**doubling("oneOf", {"type": "string"}), "properties": {"a": {"$ref": "#/$defs/d0"}}}, {"a": 1},
    ),
    "in another dialect": (
        {**doubling("allOf", {"type": "object"}), "properties": {"a": {"$schema": DRAFT_7, "$ref": "#/$defs/d0"}}},
        {"a": {}},
    ),
    "a slow pattern in another dialect": (
        {"type": "object", "properties": {"a": {"$schema": DRAFT_7, "pattern": "^(a|aa)+$"}}}, {"a": "a" * 60 + "b"},
    ),
    "a slow pattern for many": (
        {"type": "object", "properties": {"a": {"items": {"pattern": "^(a|aa)+$"}}}}, {"a": ["a" * 60 + "b"] * 1000},
    ),
    "unique objects": (
        {"type": "object", "properties": {"a": {"uniqueItems": True}}}, {"a": [{"a": i} for i in range(8000)]},
    ),
    "itself": ({"type": "object", "properties": {"a": {"allOf": [{"$ref": "#/properties/a"}]}}}, {"a": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "arguments"), SLOW.values(), ids=SLOW)
def test_no_schema_takes_for_ever(schema, arguments):
    assert seconds(schema, arguments) < ENOUGH


def test_what_takes_too_long_is_not_taken_up():
    schema, _arguments = SLOW["all of"]
    assert schema_problem(schema) == "take too long to check"


def test_an_honest_schema_with_references_is_checked_in_full():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "n": {"type": "integer"}}}
    schema = {"type": "object", "$defs": {"node": node}, "properties": {"a": {"$ref": "#/$defs/node"}}}
    nested: dict = {"n": 1}
    for number in range(50):
        nested = {"n": number, "next": nested}
    assert schema_problem(schema) is None
    assert parse_arguments(schema, json.dumps({"a": nested})) == {"a": nested}
    with pytest.raises(InvalidRequest, match="integer"):
        parse_arguments(schema, '{"a": {"next": {"n": "one"}}}')
