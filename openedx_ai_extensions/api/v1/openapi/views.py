"""Each endpoint in words. The views themselves know nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from openedx_ai_extensions.api.v1.openapi import actions, answers, errors
from openedx_ai_extensions.api.v1.openapi.shapes import COUNT, Schema, ref
from openedx_ai_extensions.edxapp.interface import RetrievalMode

RETRY_AFTER = OpenApiParameter(
    "Retry-After", COUNT, OpenApiParameter.HEADER, description="Seconds, when they are known.", response=[403, 429, 503]
)
PACKAGE = "openedx_ai_extensions.api.v1"
IDENTIFIER = OpenApiParameter(
    "identifier",
    {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
    OpenApiParameter.PATH,
    description="Slug or UUID of the prompt.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", {"type": "string"}, OpenApiParameter.HEADER, description="The `ETag` of the wording that was read."
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an endpoint.

    Attributes:
        name: for generated clients.
        answers: the schema of the answer, by media type.
        body: the schema of the request's body; None where there is none.
    """

    name: str
    summary: str
    answers: Mapping[str, Schema]
    failures: tuple[errors.Failure, ...] = errors.EVERYWHERE
    description: str = ""
    tag: str = "widgets"
    body: Schema | None = None
    parameters: tuple[OpenApiParameter, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)


class OperationSchema(AutoSchema):
    """Asks a table where ``AutoSchema`` looks at the view."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        super().__init__()
        self.operations = operations

    @property
    def operation(self) -> Operation:
        return self.operations[self.method]

    def get_operation_id(self) -> str:
        return self.operation.name

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]  # AutoSchema's takes none either
        return self.operation.description

    def get_tags(self) -> list[str]:
        return [self.operation.tag]

    def get_override_parameters(self) -> list[Any]:
        return [*self.operation.parameters, RETRY_AFTER]

    def get_request_serializer(self) -> Any:
        return None if self.operation.body is None else {"application/json": self.operation.body}

    def get_response_serializers(self) -> Any:
        whole = {
            (200, media_type): OpenApiResponse(schema, "What was asked for.")
            for media_type, schema in self.operation.answers.items()
        }
        return {**whole, **errors.responses(*self.operation.failures)}

    def get_examples(self) -> list[OpenApiExample]:
        return [OpenApiExample(name, value=value, request_only=True) for name, value in self.operation.examples.items()]


def _json(schema: Schema) -> dict[str, Schema]:
    return {"application/json": schema}


class Endpoint(OpenApiViewExtension):
    """A subclass names the view, and has its operations by method."""

    operations: ClassVar[Mapping[str, Operation]] = {}

    def view_replacement(self) -> Any:
        view: Any = self.target
        return type(view.__name__, (view,), {"schema": OperationSchema(self.operations), "__module__": PACKAGE})


class Profile(Endpoint):
    target_class = f"{PACKAGE}.views.ProfileView"
    operations = {
        "GET": Operation(
            "get_profile", "What a widget in this slot shows", _json({"anyOf": [ref("Profile"), ref("NoConfig")]})
        )
    }


class Workflows(Endpoint):
    target_class = f"{PACKAGE}.views.WorkflowView"
    operations = {
        "POST": Operation(
            "run_action",
            "Run an action of the workflow in this context",
            {
                **_json(answers.WHOLE),
                "text/plain": answers.PLAIN_TEXT,
                "text/event-stream": answers.EVENT_STREAM,
            },
            failures=errors.OF_A_RUN,
            description="To a client that accepts nothing but `application/json` the answer is always whole. To "
            "others, a profile that streams answers `run` as plain text, or as server-sent events where the client "
            "accepts `text/event-stream`. What goes wrong before the first text is an ordinary error answer.",
            body=actions.BODY,
            examples={
                "Ask": {"action": "run", "user_input": "Why are leaves green?"},
                "Write flashcards in the background": {"action": "run_async", "user_input": {"num_cards": 3}},
            },
        )
    }


class Consent(Endpoint):
    target_class = f"{PACKAGE}.consent.ConsentView"
    operations = {
        "GET": Operation(
            "get_consent",
            "What to accept before a model is asked here",
            _json(ref("Consent")),
            failures=(*errors.EVERYWHERE, errors.NO_WORKFLOW),
            description="It works while AI is switched off or paused, too.",
        ),
        "POST": Operation(
            "give_consent",
            "Accept the notice as it was shown, or take that back",
            _json(ref("Consent")),
            failures=(*errors.OF_A_BODY, errors.NO_WORKFLOW, errors.QUOTA),
            description="If what is accepted is not the notice any more, the error holds the present one.",
            body=ref("ConsentRequest"),
        ),
    }


class LimitsEndpoint(Endpoint):
    target_class = f"{PACKAGE}.limits.LimitsView"
    operations = {
        "GET": Operation(
            "get_limits",
            "What is left of the limits that hold for this person here",
            _json(ref("Limits")),
            description="Looking counts for nothing.",
        )
    }


class Profiles(Endpoint):
    target_class = f"{PACKAGE}.views.ProfileListView"
    operations = {
        "GET": Operation(
            "list_profiles",
            "What is configured here",
            _json(ref("ConfiguredProfiles")),
            description="For site staff, and for staff of the context's course. Without a slot, all slots are listed.",
            tag="staff",
        )
    }


class CourseText(Endpoint):
    target_class = f"{PACKAGE}.views.CourseTextView"
    operations = {
        "GET": Operation(
            "get_course_text",
            "What a model reads at a place, and what is left out",
            _json(ref("CourseText")),
            failures=(*errors.EVERYWHERE, errors.PROCESSOR),
            description="As the person who asks sees it. The context needs a course or a location; a course stands for "
            "all of its units.",
            tag="staff",
            parameters=(
                OpenApiParameter(
                    "retrieval_mode",
                    {"type": "string", "enum": [*map(str, RetrievalMode)], "default": str(RetrievalMode.UNIT)},
                    description="How much around the place.",
                ),
                OpenApiParameter(
                    "char_limit",
                    {"type": "integer", "minimum": 1, "maximum": 999_999_999},
                    description="The most characters; no limit when left out.",
                ),
            ),
        )
    }


class Prompt(Endpoint):
    target_class = f"{PACKAGE}.views.PromptView"
    operations = {
        "GET": Operation(
            "get_prompt",
            "A prompt template",
            _json(ref("Prompt")),
            failures=(*errors.EVERYWHERE, errors.NOT_FOUND),
            tag="staff",
            parameters=(IDENTIFIER,),
        ),
        "PATCH": Operation(
            "change_prompt",
            "Rewrite a prompt template",
            _json(ref("Prompt")),
            failures=(*errors.OF_A_BODY, errors.NOT_FOUND, errors.OUTDATED),
            description="Site staff may always; course staff only where every enabled scope that uses the prompt "
            "belongs to a course of theirs, so that one course cannot rewrite another's tutor.",
            tag="staff",
            body=ref("PromptRequest"),
            parameters=(IDENTIFIER, IF_MATCH),
        ),
    }
