"""A registry of functions that lower layers call and higher layers implement, so that imports go in one direction.

The app's ``ready()`` imports the modules that register functions.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _


class Severity(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a workflow configuration.

    Attributes:
        path: JSON path of the offending value, such as ``$.processor_config.LLMProcessor.provider``.
        message: what is wrong and what is allowed, translated.
        severity: an error refuses the save; a warning (another service may supply it) is only shown.
    """

    path: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"

    @property
    def text(self) -> str:
        """For people: without the path ``$``, which stands for the whole configuration."""
        return self.message if self.path == "$" else str(self)

    @property
    def labelled(self) -> str:
        """The text with the severity in front, since colour alone would not tell it to everyone."""
        text = _("Error: {problem}") if self.severity is Severity.ERROR else _("Warning: {problem}")
        return text.format(problem=self.text)


ConfigValidator = Callable[[Mapping[str, Any]], Iterable[Problem]]

_workers: dict[str, Callable[..., Any]] = {}
_validators: list[ConfigValidator] = []
_slow_validators: list[ConfigValidator] = []


def provides(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: registers this function under ``name``."""

    def register(worker: Callable[..., Any]) -> Callable[..., Any]:
        _workers[name] = worker
        return worker

    return register


def worker(name: str) -> Callable[..., Any]:
    """The function registered under ``name``.

    Raises:
        KeyError: nothing provides it.
    """
    return _workers[name]


def reads_processors(config: Mapping[str, Any]) -> bool:
    """Are the processors that a configuration names ever used? Orchestrators that answer by themselves use none."""
    reads: bool = worker("reads_processors")(config)
    return reads


def config_validator(validate: ConfigValidator) -> ConfigValidator:
    """Decorator: ask this function about every effective configuration that passes the schema."""
    if validate not in _validators:
        _validators.append(validate)
    return validate


def slow_config_validator(validate: ConfigValidator) -> ConfigValidator:
    """Decorator: also ask this function before a configuration is saved, and when it is checked on request.

    It may take seconds, and finds no errors but warnings.
    """
    if validate not in _slow_validators:
        _slow_validators.append(validate)
    return validate


def config_problems(config: Mapping[str, Any], *, thorough: bool = False) -> list[Problem]:
    """What the registered validators find wrong with an effective configuration.

    Args:
        config: the configuration.
        thorough: ask the slow ones too.
    """
    validators = [*_validators, *_slow_validators] if thorough else _validators
    return [problem for validate in validators for problem in validate(config)]
