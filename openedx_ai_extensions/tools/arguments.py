"""Parses the arguments that a model sends, and validates them with a schema that may come from an untrusted server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, wraps
from itertools import islice
from typing import Any

import attrs
import regex
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from openedx_ai_extensions.exceptions import InvalidRequest

MAX_CHARS = 100_000  # of arguments, and of a schema
PATTERN_SECONDS = 0.2
CHECK_SECONDS = 2.0  # CPU time of the thread
MAX_PROBLEMS = 5
MAX_PROBLEM_CHARS = 300


class _TooSlow(Exception):
    """A schema with references can require an exponential number of steps."""


class _Deadline(FormatChecker):
    """The end of a check; every step of a validator has its format checker."""

    def __init__(self, formats: Mapping[str, Any] | None = None) -> None:
        super().__init__(())
        self.checkers = dict(formats or {})
        self._time = time.thread_time() + CHECK_SECONDS

    def require_time(self) -> None:
        if time.thread_time() > self._time:
            raise _TooSlow


def parse_arguments(schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Parse and validate arguments. An empty text means no arguments.

    Raises:
        InvalidRequest: they are not valid; the message says where and what is allowed, so that a model can correct it.
    """
    arguments = _load(text)
    try:
        errors = list(islice(_validator(schema).iter_errors(arguments), MAX_PROBLEMS))
    except (_TooSlow, RecursionError):
        raise InvalidRequest(_("The arguments take too long to check.")) from None
    problems = [_described(error) for error in errors]
    if problems:
        raise InvalidRequest([_("The arguments are not valid."), *problems])
    return arguments


def schema_problem(schema: Any) -> str | None:
    """Why a value is not a valid JSON schema of a tool's arguments, or None."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return "must be a JSON schema of type 'object'"
    try:
        if len(json.dumps(schema)) > MAX_CHARS:
            return "are too long"
        rules = validator_for(schema, default=Draft202012Validator)
        deadline = _Deadline(rules.FORMAT_CHECKER.checkers)
        for error in _limited(rules)(rules.META_SCHEMA, registry=Registry(), format_checker=deadline).iter_errors(
            schema
        ):
            raise SchemaError.create_from(error)
        # A schema that takes too long usually does so for any arguments.
        next(_validator(schema).iter_errors({}), None)
        if any(not reference.startswith("#") for reference in _references(schema)):
            return "must not refer to other documents"
    except _TooSlow:
        return "take too long to check"
    except (SchemaError, RecursionError, TypeError, Unresolvable, ValueError) as error:
        return f"are not a valid JSON schema ({getattr(error, 'message', type(error).__name__)})"[:MAX_PROBLEM_CHARS]
    return None


def _load(text: str) -> dict[str, Any]:
    text = "" if text is None else str(text)  # providers represent missing arguments differently
    if len(text) > MAX_CHARS:
        raise InvalidRequest(_("The arguments are too long."))
    try:
        arguments = json.loads(text, parse_constant=_refuse_constant) if text.strip() else {}
    except (ValueError, RecursionError):
        raise InvalidRequest(_("The arguments are not valid JSON.")) from None
    if not isinstance(arguments, dict):
        raise InvalidRequest(_("The arguments must be a JSON object."))
    return arguments


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _described(error: ValidationError) -> str:
    rule = error.validator_value
    if error.validator == "additionalProperties":
        rule = sorted(error.schema.get("properties", ()))
    elif error.validator == "required":
        rule = error.schema["required"]
    # The value that was sent may be long, so it comes last.
    allowed = _shortened(f"{error.validator}: {json.dumps(rule, ensure_ascii=False, default=str)}")
    return _("{path}: must satisfy {allowed} ({problem}).").format(
        path=_shortened(error.json_path), allowed=allowed, problem=_shortened(error.message)
    )


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_PROBLEM_CHARS else f"{text[:MAX_PROBLEM_CHARS]}\u2026"


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key in {"$ref", "$dynamicRef", "$recursiveRef"} and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list | tuple):
        for item in schema:
            yield from _references(item)


def _validator(schema: Mapping[str, Any]) -> Any:
    rules = validator_for(schema, default=Draft202012Validator)
    return _limited(rules)(schema, registry=Registry(), format_checker=_Deadline())


@cache
def _limited(validator_class: Any) -> Any:
    """A subclass of the validator that cannot block a process.

    Every step checks the time. Patterns have a time limit of their own: ``re`` has none, and holds the GIL.
    """
    additional = validator_class.VALIDATORS.get("additionalProperties")

    def check_additional(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        # With patternProperties, the standard check would match with re; the tool must check it then.
        if "patternProperties" not in schema:
            yield from additional(validator, rule, instance, schema)

    rules = {
        **validator_class.VALIDATORS,
        "pattern": _check_pattern,
        "patternProperties": _check_pattern_properties,
        "additionalProperties": check_additional,
        "unevaluatedProperties": lambda *_args: (),
        "uniqueItems": _check_unique,
    }
    guarded = extend(validator_class, {name: _timed(rule) for name, rule in rules.items()})
    # The standard evolve returns the original class where a subschema names a dialect.
    guarded.evolve = attrs.evolve
    return guarded


def _timed(rule: Callable[..., Iterable[ValidationError] | None]) -> Callable[..., Iterator[ValidationError]]:
    @wraps(rule)
    def check(validator: Any, *args: Any) -> Iterator[ValidationError]:
        validator.format_checker.require_time()
        yield from rule(validator, *args) or ()

    return check


def _check_unique(validator: Any, rule: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    # The standard check compares all pairs of objects.
    if rule is True and validator.is_type(instance, "array"):
        items = [json.dumps(item, sort_keys=True, default=str) for item in instance]
        if len(set(items)) < len(items):
            yield ValidationError("an item is there twice")


def _check_pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError("it does not match")


def _check_pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for key, value in instance.items():
            if _matches(pattern, key):
                yield from validator.descend(value, subschema, path=key, schema_path=pattern)


def _matches(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=PATTERN_SECONDS) is not None
    except TimeoutError:
        return False
    except regex.error:
        return True  # a pattern of another regex dialect: the tool must check it
