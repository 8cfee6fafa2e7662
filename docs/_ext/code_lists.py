"""Every setting and every error code, as reStructuredText."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import Any

from rst_tables import plain, table

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.provider_parameters import PARAMETERS, Parameter, Use
from openedx_ai_extensions.exceptions import AIExtensionsError


def settings_text() -> str:
    """Every setting: name, default, meaning. The keys of a dictionary stand inside it."""
    return "\n".join(_settings())


def _settings() -> Iterator[str]:
    current = ""
    for name, setting in conf.SETTINGS.items():
        dictionary, dot, _key = name.partition(".")
        if dot and dictionary != current:
            current = dictionary
            yield f".. confval:: {dictionary}\n\n   A dictionary. {plain(conf.DICTIONARIES[dictionary])}\n"
        former = f" Formerly ``{setting.former}``." if setting.former else ""
        text = (
            f".. confval:: {conf.path(name)}\n"
            f"   :default: ``{_default(setting.default)}``\n\n"
            f"   {plain(setting.meaning)}{former}\n"
        )
        yield indent(text, "   ") if dot else text


def _default(value: Any) -> str:
    if value == (conf.BUILT_IN_TEMPLATE_DIR,):
        return "[<the built-in templates>]"
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def provider_parameters_text() -> str:
    """Every parameter of a provider that is not simply passed on, by what happens with it."""
    return "\n\n".join(
        f"**{use.value[0].upper()}{use.value[1:]}**\n\n"
        + table(("Parameter", meaning), (35, 65), map(_parameter_row, _used(use)))
        for use, meaning in ((Use.OURS, "Meaning"), (Use.SENT, "Meaning"), (Use.REFUSED, "What to do instead"))
    )


def _used(use: Use) -> Iterator[Parameter]:
    return (parameter for parameter in PARAMETERS if parameter.use is use)


def _parameter_row(parameter: Parameter) -> tuple[str, ...]:
    # The pattern for names that begin with an underscore stands for LiteLLM's own bookkeeping.
    names = [name.upper() for name in parameter.names if name != "_*"]
    return ", ".join(f"``{name}``" for name in names), plain(parameter.meaning)


def errors_text() -> str:
    """Every error that this app raises on purpose."""
    by_code: dict[tuple[int, str], type[AIExtensionsError]] = {}
    for error in _errors():
        # A child with its parent's code is only for code of ours to catch.
        by_code.setdefault((error.http_status, error.code), error)
    rows = sorted(by_code.items())
    return table(
        ("Code", "HTTP", "What the person reads", "Exception"),
        (25, 8, 47, 20),
        (
            (f"``{code}``", str(status), plain(error.default_message), f"``{error.__name__}``")
            for (status, code), error in rows
        ),
    )


def _errors() -> Iterator[type[AIExtensionsError]]:
    found = [AIExtensionsError]
    while found:
        error = found.pop()
        # Extensions bring errors of their own.
        found += [child for child in error.__subclasses__() if child.__module__.startswith("openedx_ai_extensions.")]
        yield error
