"""The ``context`` query parameter: where the request comes from, as browsers really send it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest
from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey, UsageKey
from rest_framework.request import Request

from openedx_ai_extensions.core.portable import replace_surrogates
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.workflows.models import AIWorkflowScope

# What clients call it, and the spelling they may use as well.
FIELDS = {
    "courseId": "course_id",
    "locationId": "location_id",
    "uiSlotSelectorId": "ui_slot_selector_id",
    "serviceVariant": "service_variant",
}


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Where a request comes from; what is not known is None.

    A location always has its course.
    """

    course_key: CourseKey | None = None
    usage_key: UsageKey | None = None
    ui_slot_selector_id: str | None = None
    service_variant: str | None = None

    @classmethod
    def from_request(cls, request: Request | HttpRequest) -> RequestContext:
        """Read the ``context`` parameter.

        Raises:
            InvalidRequest: it is no JSON object of texts, or a key in it does not parse; the message names the field.
        """
        return _parse(request.GET.get("context") or "{}")

    @property
    def course_id(self) -> str | None:
        return None if self.course_key is None else str(self.course_key)


@lru_cache(maxsize=512)
def _parse(raw: str) -> RequestContext:
    values = _texts(raw)
    course_key, usage_key = parse_place(
        _key_text(values.get("courseId")), _key_text(values.get("locationId")), names=("courseId", "locationId")
    )
    variant = values.get("serviceVariant")
    if variant is not None and variant not in dict(AIWorkflowScope.SERVICE_VARIANTS):
        raise InvalidRequest(_("serviceVariant must be lms or cms."))
    return RequestContext(course_key, usage_key, values.get("uiSlotSelectorId"), variant)


def _texts(raw: str) -> dict[str, str]:
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidRequest(_("context is not JSON.")) from None
    if not isinstance(parsed, Mapping):
        raise InvalidRequest(_("context must be a JSON object."))
    values: dict[str, str] = {}
    for name, other_name in FIELDS.items():
        value: Any = parsed.get(name, parsed.get(other_name))
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise InvalidRequest(_("{field} must be a text.").format(field=name))
        values[name] = replace_surrogates(value)
    return values


def _key_text(value: str | None) -> str | None:
    """Undo what browsers and proxies do to a key: a second percent-encoding, a space for each plus, a piece of path."""
    if value is None:
        return None
    return unquote(value).strip().replace(" ", "+").removeprefix("/").removeprefix("unit/")
