"""The base class of processors: a configuration under the class's name, and functions that it may select."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any, ClassVar, TypeVar

from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.exceptions import ProcessorError

Method = TypeVar("Method", bound=Callable[..., Any])


def function(method: Method) -> Method:
    """Decorator: profiles may select this method as the processor's ``function``. Overrides inherit the mark."""
    vars(method)["is_function"] = True
    return method


class Processor:
    """Base of processors.

    A subclass reads the key of its own class name in ``processor_config`` and may add functions: methods with
    ``@function``, or, in a class that marks none, every public method that needs no argument.

    Args:
        processor_config: the profile's whole ``processor_config``.
    """

    default_function: ClassVar[str]
    _functions: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = {name for base in cls.__mro__ for name in _named_by(base)}
        cls._functions = {name: getattr(cls, name) for name in names}

    def __init__(self, processor_config: Mapping[str, Any] | None) -> None:
        self.config: Mapping[str, Any] = (processor_config or {}).get(type(self).__name__) or {}

    @classmethod
    def functions(cls) -> frozenset[str]:
        """The valid values of ``function`` in a profile."""
        return frozenset(cls._functions)

    @property
    def function_name(self) -> str:
        return self.config.get("function") or self.default_function

    def call_function(self, *args: Any) -> Any:
        """Call the function that the configuration selects.

        Raises:
            ProcessorError: this processor has no such function.
        """
        method = self._functions.get(self.function_name)
        if method is None:
            raise ProcessorError(_("The workflow uses a function that is not available here."))
        return method(self, *args)


def is_marked(cls: type, name: str) -> bool:
    """Does this class, or one of its bases, mark this function?"""
    return any(hasattr(vars(base).get(name), "is_function") for base in cls.__mro__)


def _named_by(cls: type) -> Iterator[str]:
    """The functions that one class adds."""
    marked = [name for name, value in vars(cls).items() if hasattr(value, "is_function")]
    if marked or _is_ours(cls):
        yield from marked
        return
    inherited = {name for base in cls.__mro__ if _is_ours(base) for name in vars(base)}
    for name, value in vars(cls).items():
        if isinstance(value, FunctionType) and not name.startswith("_") and name not in inherited and _is_plain(value):
            yield name


def _is_ours(cls: type) -> bool:
    """Built-in classes have public methods that are not functions for profiles."""
    return cls is object or cls.__module__.startswith(f"{__package__.partition('.')[0]}.")


def _is_plain(method: FunctionType) -> bool:
    """Can the method be called without arguments?"""
    try:
        inspect.signature(method).bind(None)
    except TypeError:
        return False
    return True
