"""Validates the configuration of an ``OpenEdXProcessor`` when a profile is saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.core.hooks import Problem, config_validator, reads_processors
from openedx_ai_extensions.processors.openedx.course_text import INFO_FIELDS
from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor

PATH = "$.processor_config.OpenEdXProcessor"


@config_validator
def check_openedx_processor(config: Mapping[str, Any]) -> Iterable[Problem]:
    """The function and the selected fields must exist. The schema checks everything else."""
    section = config["processor_config"].get("OpenEdXProcessor")
    if section is None or not reads_processors(config):
        return
    function = section.get("function") or OpenEdXProcessor.default_function
    if function not in OpenEdXProcessor.functions():
        names = ", ".join(sorted(OpenEdXProcessor.functions()))
        yield Problem(f"{PATH}.function", _("There is no such function. Use one of: {names}.").format(names=names))
    elif function == "get_course_info":
        for index, name in enumerate(section.get("fields") or ()):
            if name not in INFO_FIELDS:
                names = ", ".join(INFO_FIELDS)
                yield Problem(
                    f"{PATH}.fields[{index}]", _("A course has no such fact. Use: {names}.").format(names=names)
                )
