"""What a provider's failure means to us: an error with a code, logged without a word of what was sent or received.

The libraries' exceptions carry keys and prompts in their texts and in their causes, so they go no further than here.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    ContextWindowExceeded,
    InvalidAPIKey,
    LLMConfigError,
    ProcessorError,
    ProviderRateLimited,
    ServiceUnavailable,
    ThreadGone,
)

logger = logging.getLogger(__name__)

_CONTEXT_WINDOW = re.compile(
    r"context[ _-]?(length|window)|maximum context|too many (input )?tokens|prompt is too long"
    r"|exceeds the available context",
    re.IGNORECASE,
)
_CONTENT_POLICY = re.compile(r"content[ _-]?(policy|management|filter)", re.IGNORECASE)
_MACHINE_WORD = re.compile(r"[\w.-]{1,64}")
# Raised by the libraries beneath the gateway when a provider cannot be reached or talks nonsense.
_LIBRARIES = ("httpx", "httpcore", "openai", "litellm", "aiohttp", "json", "pydantic_core", "ssl", "socket")


class ProviderFault(Exception):
    """The provider failed in a way that only we can see."""


class DeadlineExceeded(ProviderFault):
    """Our own clock ran out."""


class CutOff(ProviderFault):
    """The stream stopped without saying that it was done."""


def translate(error: BaseException, *, provider: str, model: str) -> AIExtensionsError | None:
    """The error to raise (``from None``) in place of what a library raised; logs it with a reference.

    None for what is no provider's failure but a fault of ours.
    """
    if isinstance(error, AIExtensionsError):
        return error
    status = _status(error)
    ours = _ours(error, status)
    if ours is None:
        return None
    logger.warning(
        "llm.call.failed ref=%s provider=%s model=%s code=%s status=%s type=%s reason=%s",
        uuid.uuid4().hex[:12], provider, model, ours.code, status, type(error).__name__, _reason(error),
    )  # fmt: skip
    return ours


def may_retry(error: AIExtensionsError, reason: BaseException) -> bool:
    """Could the same call succeed in a moment? An account that is out of credit will not."""
    if isinstance(error, ProviderRateLimited):
        return "insufficient_quota" not in _words(reason)
    return isinstance(error, ServiceUnavailable) and not isinstance(error, ThreadGone)


def has_timed_out(error: BaseException) -> bool:
    """Was it silence that the call failed of?"""
    return isinstance(error, DeadlineExceeded) or _status(error) == 408


def _ours(error: BaseException, status: int | None) -> AIExtensionsError | None:  # noqa: PLR0911  # one line a meaning
    names = {cls.__name__ for cls in type(error).__mro__}
    text = str(error)
    if "ContextWindowExceededError" in names or (status in {400, 413, 422} and _CONTEXT_WINDOW.search(text)):
        return ContextWindowExceeded()
    if "ContentPolicyViolationError" in names or (status == 400 and _CONTENT_POLICY.search(text)):
        return ProcessorError(_("The AI service declined to answer this."))
    if _is_thread_gone(error, status):
        return ThreadGone()
    if status in {401, 403}:
        return InvalidAPIKey()
    if status == 429:
        return ProviderRateLimited(retry_after=_retry_after(error))
    if status is not None and 400 <= status < 500 and status != 408:
        return LLMConfigError()
    if status is not None or isinstance(error, ProviderFault | OSError) or _from_library(error):
        return ServiceUnavailable()
    return None


def _is_thread_gone(error: BaseException, status: int | None) -> bool:
    """LiteLLM keeps the provider's code only in the text."""
    text = str(error)
    return (status == 400 and "previous_response_not_found" in text) or (
        status in {400, 404} and re.search(r"response with id .* not found", text, re.IGNORECASE) is not None
    )


def _from_library(error: BaseException) -> bool:
    return any(cls.__module__.split(".")[0] in _LIBRARIES for cls in type(error).__mro__)


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    try:
        return int(status) if status is not None else None
    except (TypeError, ValueError):
        return None


def _retry_after(error: BaseException) -> int | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    headers = {**dict(headers), **dict(getattr(error, "litellm_response_headers", None) or {})}
    value = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    try:
        return max(0, round(float(value)))
    except ValueError:  # also an HTTP date, which no LLM provider sends
        return None


def _reason(error: BaseException) -> str:
    """The provider's own machine-readable word for it, if it has one; never prose."""
    return ",".join(_words(error)) or "-"


def _words(error: BaseException) -> list[str]:
    body = getattr(error, "body", None)
    fields: Mapping[str, Any] = body if isinstance(body, Mapping) else vars(error)
    words = [fields.get(name) for name in ("code", "type", "param")]
    return [word for word in words if isinstance(word, str) and _MACHINE_WORD.fullmatch(word)]
