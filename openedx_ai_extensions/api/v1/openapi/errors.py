"""Every error that a client can get: its status, its code, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from drf_spectacular.utils import OpenApiResponse

from openedx_ai_extensions import exceptions
from openedx_ai_extensions.api.v1.openapi.shapes import (
    COUNT,
    MOMENT,
    MOMENT_OR_NULL,
    TEXT,
    Schema,
    a_list,
    an_object,
    described,
    one_word,
    ref,
    words,
)
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.ledger.limits import LimitKind
from openedx_ai_extensions.models import AILimit
from openedx_ai_extensions.policy import RefusalReason


@dataclass(frozen=True, slots=True)
class Failure:
    """One code.

    Attributes:
        when: for people who read the description.
        extra: fields that it may have beside ``code`` and ``message``.
        always: those of them that it always has.
    """

    code: str
    statuses: tuple[int, ...]
    when: str
    extra: Mapping[str, Schema] = field(default_factory=dict)
    always: tuple[str, ...] = ()

    @property
    def component(self) -> str:
        """Name of its schema."""
        name = "".join(word.capitalize() for word in self.code.split("_"))
        return f"{name.removesuffix('Error')}Error"

    def schema(self) -> Schema:
        message = {"anyOf": [TEXT, a_list(TEXT)], "description": "Translated, and fit to be shown."}
        error = an_object({"code": one_word(self.code), "message": message}, dict(self.extra))
        error["required"] += self.always
        return an_object({"error": error, "status": one_word("error"), "timestamp": MOMENT}, description=self.when)


def _ours(
    error: type[AIExtensionsError], when: str, extra: Mapping[str, Schema] | None = None, *always: str
) -> Failure:
    return Failure(error.code, (error.http_status,), when, extra or {}, always)


_NOTICE = {"notice": ref("Notice")}
_FAILED = {"failed": a_list(an_object({"index": COUNT, "message": TEXT}), description="Of `save`: why each was not.")}
_REASONS = words([*RefusalReason, "moderation", "filter"], description="When it is not a matter of rights.")

NOT_AUTHENTICATED = Failure(
    "not_authenticated", (401, 403), "No login. 401 or 403, as the site's authentication has it."
)
NOT_FOUND = Failure("not_found", (404,), "There is no such prompt.")
PARSE_ERROR = _ours(
    exceptions.ParseError, "The body is not a JSON object in UTF-8, or a number in it needs more than 64 bits."
)
INVALID = _ours(
    exceptions.InvalidRequest, "The context, a field or a configuration value is not acceptable.", _NOTICE | _FAILED
)
UNKNOWN_ACTION = _ours(exceptions.UnknownAction, "The workflow here has no such action.")
TOO_LONG_FOR_MODEL = _ours(exceptions.ContextWindowExceeded, "The model's window is too small, even after trimming.")
NOT_ALLOWED = _ours(
    exceptions.NotAllowed,
    "The person may not see this place, or may not do this; or there is no AI here at the moment, as `reason` says.",
    {"reason": _REASONS, "resumes_at": described(MOMENT, "Where the end is known.")},
)
CONSENT_REQUIRED = _ours(exceptions.ConsentRequired, "There is a notice to accept first.", _NOTICE, "notice")
NO_WORKFLOW = _ours(exceptions.WorkflowNotFound, "No workflow is set up in this context.")
DUPLICATE = _ours(exceptions.DuplicateRequest, "The same request, or another one in its way, is still being answered.")
OUTDATED = _ours(exceptions.Outdated, "Somebody else has changed it since it was read.")
TOO_LARGE = _ours(exceptions.PayloadTooLarge, "The body, or the input in it, is longer than the site allows.")
PROVIDER_LIMIT = _ours(exceptions.ProviderRateLimited, "The limit of the provider, after retries.")
QUOTA = _ours(
    exceptions.QuotaExceeded,
    "A limit of the site. `Retry-After` says in seconds what `resets_at` says.",
    {"limit": words(LimitKind), "scope": words(AILimit.Per.values), "resets_at": MOMENT_OR_NULL},
    "limit",
    "scope",
    "resets_at",
)
BAD_KEY = _ours(exceptions.InvalidAPIKey, "The provider refuses the site's key: the operator's to mend.")
BAD_CONFIG = _ours(
    exceptions.LLMConfigError, "The provider or its model is configured wrongly: the operator's to mend."
)
PROCESSOR = _ours(
    exceptions.ProcessorError,
    "A processor could not do its job, or none of the questions could be saved.",
    _FAILED,
)
DECLINED = _ours(exceptions.AnswerDeclined, "The model, or the provider's content filter, declined to answer.")
ANSWER_TOO_LONG = _ours(
    exceptions.AnswerTooLong,
    "The model reached its limit of tokens before it said anything: the operator can raise it.",
)
INTERNAL = _ours(AIExtensionsError, "A fault of ours. The message holds a reference for the log.")
UNAVAILABLE = _ours(
    exceptions.ServiceUnavailable,
    "The provider is unreachable, timed out, failed or said nothing, after retries and fallbacks; or there is no room, "
    "or no worker.",
)

# What any endpoint may answer.
EVERYWHERE = (INVALID, NOT_AUTHENTICATED, NOT_ALLOWED, INTERNAL)
# What any endpoint with a body may answer.
OF_A_BODY = (*EVERYWHERE, PARSE_ERROR, TOO_LARGE)
OF_A_RUN = (
    *OF_A_BODY, UNKNOWN_ACTION, TOO_LONG_FOR_MODEL, CONSENT_REQUIRED, NO_WORKFLOW, DUPLICATE, PROVIDER_LIMIT, QUOTA,
    BAD_KEY, BAD_CONFIG, PROCESSOR, DECLINED, ANSWER_TOO_LONG, UNAVAILABLE,
)  # fmt: skip
FAILURES = (*OF_A_RUN, NOT_FOUND, OUTDATED)

# In a stream that has begun, an error is no answer any more: see ``answers.EVENTS``.
ONLY_IN_STREAMS = frozenset({exceptions.StreamInterrupted.code})
# Where a run is cancelled, there is no client to answer.
NEVER_SENT = frozenset({exceptions.RunCancelled.code})


def responses(*failures: Failure) -> dict[int, OpenApiResponse]:
    """The error answers of an operation, by status."""
    statuses = sorted({status for failure in failures for status in failure.statuses})
    return {status: _response([each for each in failures if status in each.statuses]) for status in statuses}


def _response(failures: Iterable[Failure]) -> OpenApiResponse:
    found = list(failures)
    schemas = [ref(failure.component) for failure in found]
    lines = "\n".join(f"- `{failure.code}`: {failure.when}" for failure in found)
    return OpenApiResponse({"oneOf": schemas} if len(schemas) > 1 else schemas[0], lines)


def components() -> Iterator[tuple[str, Schema]]:
    """The schema of each error, by name."""
    for failure in FAILURES:
        yield failure.component, failure.schema()
