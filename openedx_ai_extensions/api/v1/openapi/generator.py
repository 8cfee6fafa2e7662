"""What drf-spectacular calls: how it reads our views and authentication classes, and what it adds to the result."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema_field,
)

from openedx_ai_extensions.api.v1 import serializers, views
from openedx_ai_extensions.api.v1.openapi import actions
from openedx_ai_extensions.api.v1.openapi.json_schemas import (
    COUNT,
    ERROR_SCHEMAS,
    EVERYWHERE,
    OF_A_BODY,
    OF_A_RUN,
    TEXT,
    error_responses,
)
from openedx_ai_extensions.api.v1.requests import WidgetView

CONTEXT = {
    "name": "context",
    "in": "query",
    "description": "Where the request comes from: a JSON object, URL-encoded. Absent means `{}`.",
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Context"},
            "example": {
                "courseId": "course-v1:OpenedX+AIX+demo",
                "locationId": "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_sunlight",
                "uiSlotSelectorId": "unit-summary",
            },
        }
    },
}
RETRY_AFTER = OpenApiParameter(
    "Retry-After", COUNT, OpenApiParameter.HEADER, description="Seconds, if they are known.", response=[403, 429, 503]
)
IDENTIFIER = OpenApiParameter(
    "identifier",
    {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
    OpenApiParameter.PATH,
    description="Slug or UUID of the prompt.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", TEXT, OpenApiParameter.HEADER, description="The `ETag` of the text that was read."
)
PROFILE = PolymorphicProxySerializer(
    "ProfileAnswer", [serializers.ProfileSerializer, serializers.NoConfigSerializer], resource_type_field_name=None
)
# By view and method: the operation's name in generated clients, and its error codes.
OPERATIONS: Mapping[tuple[str, str], tuple[str, Iterable[str]]] = {
    ("ProfileView", "GET"): ("get_profile", EVERYWHERE),
    ("WorkflowView", "POST"): ("run_action", OF_A_RUN),
    ("ConsentView", "GET"): ("get_consent", {*EVERYWHERE, "workflow_not_found"}),
    ("ConsentView", "POST"): ("give_consent", {*OF_A_BODY, "workflow_not_found", "quota_exceeded"}),
    ("FeedbackView", "POST"): ("give_feedback", {*OF_A_BODY, "answer_not_found"}),
    ("LimitsView", "GET"): ("get_limits", EVERYWHERE),
    ("ProfileListView", "GET"): ("list_profiles", EVERYWHERE),
    ("CourseTextView", "GET"): ("get_course_text", {*EVERYWHERE, "processor_error"}),
    ("PromptView", "GET"): ("get_prompt", {*EVERYWHERE, "not_found"}),
    ("PromptView", "PATCH"): ("change_prompt", {*OF_A_BODY, "not_found", "outdated"}),
}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "run_action": {
        "Ask": {"action": "run", "user_input": "Why are leaves green?"},
        "Write flashcards in the background": {"action": "run_async", "user_input": {"num_cards": 3}},
    },
    "give_consent": {"Accept": {"accepted": True, "fingerprint": "3f…"}},
    "give_feedback": {"Rate": {"run_id": "3f…", "rating": "down", "reason": "wrong", "text": "Leaves are green."}},
    "change_prompt": {"Change": {"body": "Explain it in simple words."}},
}
FOR_STAFF = (views.ProfileListView, views.CourseTextView, views.PromptView)

extend_schema_field({"type": ["integer", "string"]})(serializers.AmountField)


class OperationSchema(AutoSchema):
    """Describes an operation by its view's serializers and docstrings, and by ``OPERATIONS``."""

    def get_operation_id(self) -> str:
        return OPERATIONS[type(self.view).__name__, self.method][0]

    def _docstring(self) -> tuple[str, str]:
        """The summary and the description."""
        summary, _, description = (inspect.getdoc(getattr(self.view, self.method.lower())) or "").partition("\n\n")
        return summary, description

    def get_summary(self) -> str:
        return self._docstring()[0]

    def get_description(self) -> str:  # type: ignore[override]  # AutoSchema's takes none either
        return self._docstring()[1]

    def get_tags(self) -> list[str]:
        return ["staff" if isinstance(self.view, FOR_STAFF) else "widgets"]

    def get_override_parameters(self) -> list[Any]:
        self.resolve_serializer(serializers.ContextSerializer, "request")  # for the parameter that the hook adds
        query = getattr(self.view, "query_serializer", None)
        of_prompt = [IDENTIFIER] if isinstance(self.view, views.PromptView) else []
        if of_prompt and self.method == "PATCH":
            of_prompt.append(IF_MATCH)
        return [*([query] if query else []), *of_prompt, RETRY_AFTER]

    def get_request_serializer(self) -> Any:
        return {"application/json": getattr(self.view, "request_serializer", actions.REQUEST)}

    def get_response_serializers(self) -> Any:
        if isinstance(self.view, views.ProfileView):
            answers: Mapping[str, Any] = {"application/json": PROFILE}
        elif isinstance(self.view, views.ResourceView):
            answers = {"application/json": self.view.answer_serializer}
        else:
            answers = actions.RESPONSES
        _name, codes = OPERATIONS[type(self.view).__name__, self.method]
        described = {(200, media_type): OpenApiResponse(each, "The answer.") for media_type, each in answers.items()}
        return {**described, **error_responses(codes)}

    def get_examples(self) -> list[OpenApiExample]:
        examples = EXAMPLES.get(self.get_operation_id(), {})
        return [OpenApiExample(name, value, request_only=True) for name, value in examples.items()]


class Endpoint(OpenApiViewExtension):
    """Has drf-spectacular use ``OperationSchema`` for our views, which know nothing of it."""

    target_class = WidgetView
    match_subclasses = True

    def view_replacement(self) -> Any:
        view: Any = self.target
        return type(view.__name__, (view,), {"schema": OperationSchema()})


def _header_or_cookie(where: str, name: str, description: str) -> dict[str, str]:
    return {"type": "apiKey", "in": where, "name": name, "description": description}


class SessionScheme(OpenApiAuthenticationExtension):
    """The session's cookie, with the CSRF token in a header."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    match_subclasses = True
    priority = 1  # before drf-spectacular's own, which lacks the token
    name = ["session", "csrfToken"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        header = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title()
        usage = "The CSRF token, for POST and PATCH; on the platform from `/csrf/api/v1/token`."
        return [
            _header_or_cookie("cookie", settings.SESSION_COOKIE_NAME, "The session of the LMS or of Studio."),
            _header_or_cookie("header", header, usage),
        ]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        return {name: [] for name in self.name if name == "session" or auto_schema.method != "GET"}


class JwtScheme(OpenApiAuthenticationExtension):
    """The platform's tokens: in a header, or in the pair of cookies that its frontends send."""

    target_class = "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication"
    match_subclasses = True
    optional = True  # only there on the platform
    priority = 1
    name = ["jwtCookie", "useJwtCookie", "jwt"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        pair = "With `edx-jwt-cookie-signature`, as the platform's login sets them."
        use = "`true`: read the cookies. POST and PATCH need the CSRF token as well."
        return [
            _header_or_cookie("cookie", "edx-jwt-cookie-header-payload", pair),
            _header_or_cookie("header", "USE-JWT-COOKIE", use),
            _header_or_cookie("header", "Authorization", "`JWT <token>`."),
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        csrf: dict[str, list[Any]] = {} if auto_schema.method == "GET" else {"csrfToken": []}
        return [{"jwtCookie": [], "useJwtCookie": [], **csrf}, {"jwt": []}]


def only_our_endpoints(
    endpoints: Iterable[tuple[str, str, str, Any]], **_kwargs: Any
) -> list[tuple[str, str, str, Any]]:
    """Omit the endpoints of other apps."""
    return [endpoint for endpoint in endpoints if issubclass(getattr(endpoint[3], "cls", object), WidgetView)]


def with_shared_parts(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add the schemas that no serializer describes, and the parameter that all operations take."""
    components = result["components"]
    components["schemas"] = _without_enum_ids(components["schemas"])
    components["schemas"]["PromptRequest"]["additionalProperties"] = False
    components["schemas"] |= dict(sorted({**actions.SCHEMAS, **ERROR_SCHEMAS}.items()))
    components["parameters"] = {"context": CONTEXT}
    for operations in result["paths"].values():
        for operation in operations.values():
            parameters = _without_enum_ids(operation.get("parameters", []))
            operation["parameters"] = [{"$ref": "#/components/parameters/context"}, *parameters]
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result


def _without_enum_ids(part: Any) -> Any:
    """Remove what drf-spectacular adds for its own hook, which would turn each enum into a component."""
    if isinstance(part, list):
        return [_without_enum_ids(each) for each in part]
    if isinstance(part, dict):
        return {name: _without_enum_ids(value) for name, value in part.items() if name != "x-spec-enum-id"}
    return part
