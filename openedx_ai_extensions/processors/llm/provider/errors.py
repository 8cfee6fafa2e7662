"""Translates the failures of providers to our errors, and logs them without any text that was sent or received.

The libraries' exceptions contain keys and prompts in their messages and causes, so they are not passed on.
"""

from __future__ import annotations

import logging
import math
import re
import socket
import ssl
import traceback
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.core.http_responses import BadResponse, BodyTooLong
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    AnswerDeclined,
    AnswerTooLong,
    ContextWindowExceeded,
    InvalidAPIKey,
    LLMConfigError,
    ProviderRateLimited,
    ServiceUnavailable,
    ThreadGone,
)
from openedx_ai_extensions.processors.llm.provider.connections import RedirectedElsewhere

logger = logging.getLogger(__name__)

_CONTEXT_WINDOW = re.compile(
    r"context[ _-]?(length|window)|maximum context|too many (input )?tokens|prompt is too long"
    r"|exceeds the available context|input is too long|maximum prompt length|exceeded model token limit"
    r"|range of input length",
    re.IGNORECASE,
)
# As text, and as codes of OpenAI, DashScope and Zhipu.
_CONTENT_POLICY = re.compile(
    r"content[ _-]?(policy|management|filter)|content violates|usage (policy|policies|guidelines)"
    r"|input was flagged|considered high risk|invalid_prompt|data_?inspection_?failed|(^|\W)1301(\W|$)",
    re.IGNORECASE,
)
# In errors with status 403, unless they mention credentials.
_MODERATED = re.compile(
    r"moderat|flagged|safety|unsafe|harmful|inappropriate|sensitive|prohibited (content|use)|violat|acceptable use"
    r"|(content|prompt|input|request|text) (was |is |has been )?(blocked|rejected|declined|refused)",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(
    r"api[ _-]?key|credential|authenticat|unauthori[sz]ed|not authori[sz]ed|permission|billing|payment|credits?\b|quota"
    r"|subscription|organi[sz]ation|deactivated|suspended|country|region",
    re.IGNORECASE,
)
_NO_RESPONSE = re.compile(r"response with id .{0,200} not found", re.IGNORECASE)
MACHINE_WORD = re.compile(r"[\w.-]{1,64}")
MAX_RETRY_AFTER_SECONDS = 24 * 3600  # larger values of a provider are ignored
# Groq's codes for calls and answers of a model that it could not parse.
_MALFORMED = re.compile(r"\btool_use_failed\b|\boutput_parse_failed\b")
# For an account without credit.
_OUT_OF_CREDIT = re.compile(r"insufficient_quota|credit balance is too low")
# Statuses below 500 that allow a retry: timeout, conflict, too early, and Groq's "capacity exceeded".
_TRY_AGAIN = frozenset({408, 409, 425, 498})
# Raised by HTTP libraries while they send or receive (_NETWORK), or while they build a request (_BUILDING).
_NETWORK = frozenset(
    {
        "httpx.TransportError",
        "httpx.HTTPStatusError",
        "httpcore.NetworkError",
        "httpcore.TimeoutException",
        "openai.APIStatusError",
        "openai.APITimeoutError",
        "requests.RequestException",
        "urllib3.HTTPError",
        "botocore.HTTPClientError",
        "botocore.ClientError",
        "aiohttp.ClientError",
    }
)
_BUILDING = frozenset({"httpx.UnsupportedProtocol", "httpx.LocalProtocolError", "httpx.InvalidURL"})


class ProviderFault(Exception):
    """A failure of the provider that no library reports."""


class DeadlineExceeded(ProviderFault):
    """Our own timeout has expired."""


class CutOff(ProviderFault):
    """The stream ended without a finish reason."""


class BrokenAnswer(ProviderFault):
    """The response is not an answer: HTML, invalid bytes, or JSON of another form."""


class StreamedError(ProviderFault):
    """An error that was sent in a stream, instead of or after an answer.

    Args:
        error: the provider's object, such as ``{"code", "type", "message"}``, or its text.
    """

    def __init__(self, error: Any) -> None:
        self.body = error if isinstance(error, Mapping) else {}
        words = {str(self.body.get(name)).lower() for name in ("code", "type", "status")}
        numbers = [int(word) for word in words if word.isdigit()]
        self.status_code = next((number for number in numbers if 400 <= number < 600), None)
        if self.status_code is None:
            self.status_code = next((status for word, status in _STATUSES.items() if word in words), None)
        super().__init__(str(self.body.get("message") or error))


# Codes in errors without a status.
_STATUSES = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "resource_exhausted": 429,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "invalid_prompt": 400,
    "data_inspection_failed": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
}


_NETWORK_ERRORS = (ProviderFault, ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)


def translate(error: BaseException, *, provider: str, model: str, is_sent: bool) -> AIExtensionsError | None:
    """The error to raise (``from None``) in place of a library's exception, with ``reached_provider`` set; None for
    ``SystemExit`` and the like. Logs the exception with a reference.

    Args:
        error, provider, model: the exception, and the names of the provider's entry and its model.
        is_sent: a request was passed to the network.
    """
    if isinstance(error, AIExtensionsError):
        return error
    if not isinstance(error, Exception):
        return None
    chain = [_class_names(each) for each in _chain(error)]
    is_of_network = any(isinstance(each, _NETWORK_ERRORS) for each in _chain(error)) or any(_NETWORK & n for n in chain)
    reached = (is_sent or is_of_network) and not any(_BUILDING & names for names in chain)
    status = _status(error)
    ours = _translated(error, status, reached=reached)
    ours.reached_provider = reached
    logger.warning(
        "llm.call.failed ref=%s provider=%s model=%s code=%s status=%s type=%s reason=%s sent=%s cause=%s",
        uuid.uuid4().hex[:12], provider, model, ours.code, status, type(error).__name__, _reason(error), reached,
        "-" if reached else _cause(error),
    )  # fmt: skip
    return ours


def may_retry(error: AIExtensionsError, reason: BaseException) -> bool:
    """Could the same call succeed in a moment? Not if the account has no credit."""
    if isinstance(error, ProviderRateLimited):
        return not any(_is_out_of_credit(each) for each in _chain(reason))  # some versions of LiteLLM drop the code
    return error.reached_provider and isinstance(error, ServiceUnavailable) and not isinstance(error, ThreadGone)


def is_too_long(error: BaseException) -> bool:
    """Did the provider send more than the size limit?"""
    return any(isinstance(each, BodyTooLong) for each in _chain(error))


def has_timed_out(error: BaseException) -> bool:
    """Did the call fail because of a timeout?"""
    return isinstance(error, DeadlineExceeded) or _status(error) == 408


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and its causes, the latest first."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _class_names(error: BaseException) -> set[str]:
    """The class names of an exception, with their libraries.

    LiteLLM's exceptions are excluded: they are subclasses of OpenAI's and wrap any exception.
    """
    if type(error).__module__.partition(".")[0] == "litellm":
        return set()
    return {f"{cls.__module__.partition('.')[0]}.{cls.__name__}" for cls in type(error).__mro__}


def _cause(error: BaseException) -> str:
    """The first exception of a chain and its location, without its message, which may quote a learner."""
    *_rest, first = _chain(error)
    frames = traceback.extract_tb(first.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "-"
    return f"{type(first).__name__}@{place}"


def _translated(  # noqa: PLR0911  # one line per meaning
    error: BaseException, status: int | None, *, reached: bool
) -> AIExtensionsError:
    if not reached:  # the request could not be built from the entry, the profile's options or the messages
        return InvalidAPIKey() if status in {401, 403} else LLMConfigError()
    if is_too_long(error):
        return AnswerTooLong()
    if any(isinstance(each, RedirectedElsewhere) for each in _chain(error)):
        return LLMConfigError()
    names = {cls.__name__ for cls in type(error).__mro__}
    text = str(error)
    if "ContextWindowExceededError" in names or (status in {400, 403, 413, 422} and _CONTEXT_WINDOW.search(text)):
        return ContextWindowExceeded()
    # OpenRouter and xAI decline with 403.
    if "ContentPolicyViolationError" in names or _is_declined(_with_codes(error), status):
        return AnswerDeclined()
    if _is_thread_gone(error, status):
        return ThreadGone()
    if status in {401, 403}:
        return InvalidAPIKey()
    if status == 429 or _is_out_of_credit(error):
        return ProviderRateLimited(retry_after=_retry_after(error))
    if status is not None and 400 <= status < 500 and status not in _TRY_AGAIN:
        refused = LLMConfigError()
        refused.refused_parameter = _refused_parameter(error)
        return refused
    return ServiceUnavailable()


def _is_declined(text: str, status: int | None) -> bool:
    if status in {400, 403, 422} and _CONTENT_POLICY.search(text):
        return True
    return status == 403 and _MODERATED.search(text) is not None and not _CREDENTIALS.search(text)


def is_malformed_call(error: BaseException) -> bool:
    """Could the provider not parse a tool call of the model?"""
    return any(_status(each) == 400 and _MALFORMED.search(_with_codes(each)) for each in _chain(error))


def _is_out_of_credit(error: BaseException) -> bool:
    return _status(error) == 402 or _OUT_OF_CREDIT.search(_with_codes(error)) is not None


def _is_thread_gone(error: BaseException, status: int | None) -> bool:
    """LiteLLM keeps the provider's code only in the message."""
    if status == 400 and "previous_response_not_found" in str(error):
        return True
    return status in {400, 404} and _NO_RESPONSE.search(str(error)) is not None


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
        seconds = float(value)
    except ValueError:  # includes HTTP dates, which no LLM provider sends
        return None
    return math.ceil(seconds) if 0 <= seconds <= MAX_RETRY_AFTER_SECONDS else None


def _refused_parameter(error: BaseException) -> str:
    """The option that the model does not support, if the provider names it as OpenAI and Azure do."""
    named = _machine_fields(error)
    is_refused = named.get("code") in {"unsupported_parameter", "unsupported_value"}
    return named.get("param", "") if is_refused else ""


def _reason(error: BaseException) -> str:
    """The reason for refusing an answer, or the provider's machine-readable code; never free text."""
    not_taken = next((each.reason for each in _chain(error) if isinstance(each, BadResponse)), "")
    return not_taken or ",".join(_machine_fields(error).values()) or "-"


def _with_codes(error: BaseException) -> str:
    """The message of an error, and its machine-readable fields."""
    return " ".join([str(error), *_machine_fields(error).values()])


def _machine_fields(error: BaseException) -> dict[str, str]:
    """The machine-readable ``code``, ``type`` and ``param`` of the provider's error."""
    body = getattr(error, "body", None)
    fields: Mapping[str, Any] = body if isinstance(body, Mapping) else vars(error)
    found = {name: fields.get(name) for name in ("code", "type", "param")}
    return {name: word for name, word in found.items() if isinstance(word, str) and MACHINE_WORD.fullmatch(word)}
