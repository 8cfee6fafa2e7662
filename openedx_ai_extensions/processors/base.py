"""What processors share: a configuration under the class's own name, and functions published by a mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import ProcessorError

Method = TypeVar("Method", bound=Callable[..., Any])


def function(method: Method) -> Method:
    """Decorator: profiles may name this method as a processor's ``function``. Overrides inherit the mark."""
    vars(method)["is_function"] = True
    return method


class Processor:
    """Base of processors.

    A subclass reads the key of its own class name in ``processor_config`` and may add functions of its own.

    Args:
        processor_config: the profile's whole ``processor_config``.
    """

    default_function: ClassVar[str]
    _functions: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        marked = {name for base in cls.__mro__ for name, value in vars(base).items() if hasattr(value, "is_function")}
        cls._functions = {name: getattr(cls, name) for name in marked}

    def __init__(self, processor_config: Mapping[str, Any] | None) -> None:
        self.config: Mapping[str, Any] = (processor_config or {}).get(type(self).__name__) or {}

    @classmethod
    def functions(cls) -> frozenset[str]:
        """The names that a profile may give as ``function``."""
        return frozenset(cls._functions)

    @property
    def function_name(self) -> str:
        return self.config.get("function") or self.default_function

    def call_function(self, *args: Any) -> Any:
        """Call the function that the configuration names.

        Raises:
            ProcessorError: this processor has no such function.
        """
        method = self._functions.get(self.function_name)
        if method is None:
            raise ProcessorError(_("The workflow asks for something that is not available here."))
        return method(self, *args)
