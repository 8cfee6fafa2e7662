"""The exception hierarchy.

Every error has a stable, machine-readable ``code``, an ``http_status`` and a translated ``message`` for people, without
payload, secrets or traceback. The cause is logged, with a reference.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from openedx_ai_extensions.core.messages import Message

BUSY_RETRY_SECONDS = 10  # sent to a person who has too many requests under way


class AIExtensionsError(Exception):
    """Base of all errors that this app raises deliberately.

    Args:
        message: a text or a list of texts for people; by default that of the class.
        extra: further JSON-serialisable fields of the error answer.
        retry_after: seconds after which a retry may succeed, if known.
    """

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    default_message: ClassVar[str | Promise] = _("Something went wrong. Please try again later.")
    # False if a call failed before its request was sent, so that the provider is not the cause.
    reached_provider = True

    def __init__(
        self,
        message: str | Promise | list[str] | None = None,
        *,
        extra: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = self.default_message if message is None else message
        self.extra = dict(extra or {})
        self.retry_after = retry_after
        super().__init__(self.message)

    def __str__(self) -> str:
        return " ".join(self.message) if isinstance(self.message, list) else str(self.message)


class ParseError(AIExtensionsError):
    """The body is not a JSON object in UTF-8, is nested too deep, or a number in it needs more than 64 bits."""

    code = "parse_error"
    http_status = 400
    default_message = _("The request is not a JSON object.")


class InvalidRequest(AIExtensionsError):
    """A field of the request, or a configuration value, is not valid."""

    code = "validation_error"
    http_status = 400
    default_message = _("The request is not valid.")


class UnknownAction(AIExtensionsError):
    code = "unknown_action"
    http_status = 400
    default_message = _("This workflow has no such action.")


class ContextWindowExceeded(AIExtensionsError):
    """The content is too long for the model, even after trimming."""

    code = "context_window_exceeded"
    http_status = 400
    default_message = _("This content is too long for the AI model.")


class NotAllowed(AIExtensionsError):
    """The person may not see this place, or may not do this. ``Refused`` has the same code, and a ``reason``."""

    code = "permission_denied"
    http_status = 403
    default_message = _("You do not have permission to do this here.")


class Refused(AIExtensionsError):
    """The site's rules do not allow the request; it is not a failure.

    Args:
        refused_by: name of the limit or rule, for the ledger.
    """

    code = "permission_denied"
    http_status = 403
    default_message = _("AI is not available here at the moment.")

    def __init__(self, message: str | Promise | list[str] | None = None, *, refused_by: str, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.refused_by = refused_by


class ConsentRequired(Refused):
    """The person must accept a notice first, which the error contains.

    Args:
        path: path of the page to read, accept and withdraw it, included in the message; empty if there is no such
            page.
    """

    code = "consent_required"
    default_message = _("Please read and accept the notice about AI first.")

    def __init__(self, *, path: str = "", **kwargs: Any) -> None:
        self.path = path
        super().__init__(self.told(path) if path else None, **kwargs)

    @staticmethod
    def told(address: str) -> Message:
        """The message with the address of the page."""
        return Message(gettext_noop("Please read and accept the notice about AI first: {address}")).format(
            address=address
        )


class ContentRejected(Refused):
    """A person's input is not sent to the model, or an answer is not shown.

    Args:
        message: polite, and without any part of the text.
        refused_by: name of the moderator or filter.
        reason: machine-readable: ``moderation`` or ``filter``.
    """

    default_message = _("The AI cannot help with this here.")

    def __init__(self, message: str | Promise | None = None, *, refused_by: str, reason: str = "moderation") -> None:
        super().__init__(message, refused_by=refused_by, extra={"reason": reason})


class WorkflowNotFound(AIExtensionsError):
    code = "workflow_not_found"
    http_status = 404
    default_message = _("No AI workflow is set up here.")


class AnswerNotFound(AIExtensionsError):
    """This person has no answer with this id."""

    code = "answer_not_found"
    http_status = 404
    default_message = _("This answer cannot be found.")


class DuplicateRequest(AIExtensionsError):
    """An identical request, or one that conflicts with it, is still running."""

    code = "duplicate_request"
    http_status = 409
    default_message = _("This request is already being answered.")


class RunCancelled(AIExtensionsError):
    """The run was cancelled, its session was cleared, or its client has disconnected."""

    code = "cancelled"
    http_status = 409
    default_message = _("This was cancelled.")
    reached_provider = False


class PayloadTooLarge(AIExtensionsError):
    """The body, or the input in it, is longer than the site allows."""

    code = "payload_too_large"
    http_status = 413
    default_message = _("Your text is too long.")


class ProviderRateLimited(AIExtensionsError):
    """The provider's own limit was exceeded, after retries."""

    code = "rate_limit_exceeded"
    http_status = 429
    default_message = _("The AI service is busy. Please try again in a moment.")


class QuotaExceeded(Refused):
    """One of the site's limits is exceeded. ``Retry-After`` says in seconds what ``resets_at`` says.

    Args:
        message: what was used up, and when it resets.
        refused_by: name of the limit in the ledger.
        limit: the limited resource: requests, tokens or money.
        scope: what the limit applies to: person, course, profile, provider or site.
        resets_at: when it resets, aware; None if it does not.
    """

    code = "quota_exceeded"
    http_status = 429
    default_message = _("All of the AI requests for now have been used.")

    def __init__(
        self,
        message: str | Promise | None = None,
        *,
        refused_by: str,
        limit: str,
        scope: str,
        resets_at: datetime | None,
    ) -> None:
        self.resets_at = resets_at
        in_seconds = None if resets_at is None else max(math.ceil((resets_at - datetime.now(UTC)).total_seconds()), 1)
        told = {"limit": str(limit), "scope": str(scope), "resets_at": resets_at and resets_at.isoformat()}
        super().__init__(message, refused_by=refused_by, extra=told, retry_after=in_seconds)

    @classmethod
    def at_once(cls, most: int, *, refused_by: str) -> Self:
        """The error for a person who has the maximum number of requests under way."""
        message = ngettext(
            "The AI is still at work on {number} request of yours. Please wait until that is done.",
            "The AI is still at work on {number} requests of yours. Please wait until one of them is done.",
            most,
        )
        error = cls(
            message.format(number=most), refused_by=refused_by, limit="requests", scope="person", resets_at=None
        )
        error.retry_after = BUSY_RETRY_SECONDS
        return error


class Outdated(AIExtensionsError):
    """The object was changed since this person read it."""

    code = "outdated"
    http_status = 409
    default_message = _("Another person has changed this in the meantime. Please read it again, then change it.")


class InvalidAPIKey(AIExtensionsError):
    """The provider refused the site's credentials. Operators must fix it; learners get no details."""

    code = "invalid_api_key"
    default_message = _("The AI service is currently unavailable.")


class LLMConfigError(AIExtensionsError):
    """The configuration of the provider, its model or an option is wrong. Operators must fix it."""

    code = "llm_config_error"
    default_message = _("The AI service is currently unavailable.")
    refused_parameter = ""  # the parameter that the provider refused, if it names one


class ProcessorError(AIExtensionsError):
    """A processor could not process its input, or no quiz question could be saved."""

    code = "processor_error"
    default_message = _("The AI workflow could not complete this request.")


class ServiceUnavailable(AIExtensionsError):
    """The provider is unreachable, timed out or failed, after retries; or no place or worker is free."""

    code = "service_unavailable"
    http_status = 503
    default_message = _("The AI service is temporarily unavailable. Please try again later.")


class AnswerTooLong(AIExtensionsError):
    """The model reached its token limit, possibly by reasoning, before any text. Operators can raise it."""

    code = "answer_too_long"
    default_message = _("The AI's answer was longer than allowed. Please ask for something shorter.")


class AnswerDeclined(AIExtensionsError):
    """The model, or the provider's content filter, declined to answer."""

    code = "answer_declined"
    http_status = 422
    default_message = _("The AI declined to answer this.")


class EmptyAnswer(ServiceUnavailable):
    """The model's answer was empty, also after a retry."""

    default_message = _("The AI gave no answer. Please try again.")


class ThreadGone(ServiceUnavailable):
    """The provider does not have the thread. The conversation continues from the stored history."""


class StreamInterrupted(AIExtensionsError):
    """The provider's stream was interrupted after the first text.

    Args:
        reason: the cause; None if it was a failure of the provider.
    """

    code = "streaming_failed"
    default_message = _("The answer was interrupted. Please try again.")

    def __init__(self, *args: Any, reason: AIExtensionsError | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reason = reason


class OutOfTime(StreamInterrupted):
    """The answer exceeded the site's time limit while the provider was still sending it."""


def __getattr__(name: str) -> Any:
    """Former names, for one release."""
    if name == "Unsuitable":
        warnings.warn("Unsuitable is called ContentRejected now.", DeprecationWarning, stacklevel=2)
        return ContentRejected
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
