"""The endpoints. What they refuse, they refuse by raising; ``errors`` turns it into answers."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NoReturn

from django.db import router, transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.utils.http import parse_etags
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from openedx_ai_extensions.api.v1.access import (
    is_site_staff,
    is_staff_of,
    may_see,
    require_can_view,
    require_course_staff,
)
from openedx_ai_extensions.api.v1.capacity import require_room
from openedx_ai_extensions.api.v1.context import RequestContext
from openedx_ai_extensions.api.v1.errors import exception_handler, timestamp
from openedx_ai_extensions.api.v1.reading import JSONObjectParser, JSONOnly, accepts_stream, prepare_to_read
from openedx_ai_extensions.api.v1.serializers import profiles_data, prompt_data, reading_data
from openedx_ai_extensions.api.v1.streaming import stored_stream, streaming_response
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.connection_release import cancellable
from openedx_ai_extensions.core.redaction import configured_secrets
from openedx_ai_extensions.core.sse import wants_events
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import InvalidRequest, NotAllowed, Outdated
from openedx_ai_extensions.execution.execution import SlotLocation
from openedx_ai_extensions.models import AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.policy import Guard, RefusalReason
from openedx_ai_extensions.policy.audit_log import record
from openedx_ai_extensions.policy.prompt_editors import (
    profiles_using,
    require_editor,
    require_no_mask,
    staffs_a_course_using,
    version_of,
)
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.prompts.models import body_problem
from openedx_ai_extensions.runtime import admit, run
from openedx_ai_extensions.runtime.replay import Replay, RequestID
from openedx_ai_extensions.workflows import unmatched_slots
from openedx_ai_extensions.workflows.orchestrators import Result, Stream
from openedx_ai_extensions.workflows.orchestrators.registry import is_available_to

try:
    from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
    from edx_rest_framework_extensions.auth.session.authentication import SessionAuthenticationAllowInactiveUser
except ImportError:  # outside of the platform
    AUTHENTICATION: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
else:
    AUTHENTICATION = [JwtAuthentication, SessionAuthenticationAllowInactiveUser]


class WidgetView(APIView):
    """What all endpoints share: login, JSON, and errors in one shape."""

    authentication_classes = AUTHENTICATION
    permission_classes = [IsAuthenticated]
    parser_classes = [JSONObjectParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JSONOnly
    is_atomic = True  # runs within the request's transaction, where the site has one
    context = RequestContext()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before the login: the check of a CSRF token may read the body.
        prepare_to_read(request)
        super().initial(request, *args, **kwargs)
        self.context = RequestContext.from_request(request)

    def get_exception_handler(self) -> Any:
        return exception_handler


class ProfileView(WidgetView):
    """Which UI a widget slot gets."""

    def get(self, request: Request) -> Response:
        context = self.context
        scope = AIWorkflowScope.get_profile(context.course_id, context.usage_key, context.ui_slot_selector_id)
        if scope is None or not scope.profile.is_usable:
            unmatched_slots.record(
                context.ui_slot_selector_id,
                conf.service_variant(),
                context.course_id,
                request.user.pk,
                lambda: may_see(request.user, context),
            )
            return _no_config()
        if not (may_see(request.user, context) and is_available_to(scope.profile, request.user, context.course_key)):
            return _no_config()
        refusal = _guard(request, scope, context).refusal()
        if refusal is not None and refusal.extra["reason"] != RefusalReason.QUIET_HOURS:
            return _no_config()
        quiet = {} if refusal is None else {"unavailable": {"message": str(refusal), **refusal.extra}}
        return Response(
            {
                "course_id": context.course_id,
                "ui_components": scope.profile.shown_ui_components,
                **quiet,
                "timestamp": timestamp(),
            }
        )


def _no_config() -> Response:
    return Response({"status": "no_config", "timestamp": timestamp()})


def _guard(request: Request, scope: AIWorkflowScope, context: RequestContext) -> Guard:
    return Guard(user=request.user, course_id=context.course_key, location_id=context.usage_key, profile=scope.profile)


def _body(request: Request) -> dict[str, Any]:
    """The JSON object that the parser has made sure of; empty when nothing was sent."""
    return dict(request.data)


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class WorkflowView(WidgetView):
    """Run an action. Not atomic: a streamed answer outlives the request's transaction."""

    is_atomic = False

    def post(self, request: Request) -> HttpResponseBase:
        context, body = self.context, _body(request)
        action, request_id = body.get("action"), body.get("request_id")
        if not isinstance(action, str) or not action:
            raise InvalidRequest(_("action is required, as a text."))
        streams = accepts_stream(request)
        execution = admit(
            request.user,
            SlotLocation(context.course_key, context.usage_key, context.ui_slot_selector_id),
            action=action,
            user_input=body.get("user_input"),
            accepts_stream=streams,
        )
        traits = execution.traits
        require_room(request, asks_model=traits.replayable and not traits.always_allowed)
        is_known = traits.replayable and isinstance(request_id, str | int) and request_id != ""
        identity = RequestID(
            str(request_id), request.user.pk,
            execution.scope.pk, context.course_id, context.usage_key, action, execution.user_input,
        ) if is_known else None  # fmt: skip
        # A whole answer is finished, and kept for who asks again, also when its client has gone.
        with Replay(identity) as replay, nullcontext() if streams else cancellable(None):
            if replay.stored is not None:
                if not traits.always_allowed:
                    execution.guard.require_allowed(asks_model=False)  # an old answer is one too
                answer, about = replay.stored
                if about is None:
                    return _json(answer)
                outcome: Result | Stream = stored_stream(answer, about, execution.run_id)
            else:
                outcome = run(execution)
            if isinstance(outcome, Stream):
                return streaming_response(outcome, events=wants_events(request), replay=replay, execution=execution)
            # Encoded here rather than after this view, where a fault would no longer become an error answer.
            answer = JSONRenderer().render(outcome.as_dict())
            if execution.did_something:
                replay.store(answer)
            else:
                replay.release()
        return _json(answer)


def _json(answer: bytes) -> HttpResponse:
    return HttpResponse(answer, content_type=JSONRenderer.media_type)


class ProfileListView(WidgetView):
    """What is configured for a course, for its staff."""

    def get(self, request: Request) -> Response:
        context = self.context
        require_course_staff(request.user, context)
        profiles = AIWorkflowScope.list_profiles_for_context(
            course_id=context.course_id,
            location_id=str(context.usage_key) if context.usage_key else None,
            ui_slot_selector_id=context.ui_slot_selector_id,
            service_variant=context.service_variant,
        )
        data = profiles_data(profiles, configured_secrets())
        return Response({"profiles": data, "count": len(data), "timestamp": timestamp()})


class CourseTextView(WidgetView):
    """What a model reads at a place in a course, and what it doesn't and why, for the course's staff."""

    def get(self, request: Request) -> Response:
        context = self.context
        require_course_staff(request.user, context)
        if context.course_key is None:
            raise InvalidRequest(_("courseId or locationId is required."))
        require_can_view(request.user, context)
        processor = OpenEdXProcessor(
            {
                OpenEdXProcessor.__name__: {
                    "retrieval_mode": _retrieval_mode(request),
                    "char_limit": _char_limit(request),
                }
            },
            # The course block stands for all its units.
            location_id=context.usage_key or context.course_key.make_usage_key("course", "course"),
            user=request.user,
        )
        reading = processor.explain_location_content()
        return Response({**reading_data(reading), "timestamp": timestamp()})


def _retrieval_mode(request: Request) -> str:
    mode = request.query_params.get("retrieval_mode") or RetrievalMode.UNIT
    if mode not in list(RetrievalMode):
        raise InvalidRequest(_("retrieval_mode must be one of: {names}.").format(names=", ".join(RetrievalMode)))
    return mode


def _char_limit(request: Request) -> int | None:
    limit = request.query_params.get("char_limit")
    if not limit:
        return None
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10 and int(limit)):
        raise InvalidRequest(_("char_limit must be a whole number greater than 0."))
    return int(limit)


class PromptView(WidgetView):
    """Read or rewrite a prompt."""

    def get(self, request: Request, identifier: str) -> Response:
        prompt, user = PromptTemplate.objects.lookup(identifier), request.user
        may_read_all = is_site_staff(user) or is_staff_of(user, self.context)
        # The same answer for what there is and what there is not, to those who may not read it.
        if not (may_read_all or (prompt is not None and staffs_a_course_using(user, prompt))):
            raise NotAllowed
        return _shown(prompt or _no_prompt(), user)

    def patch(self, request: Request, identifier: str) -> Response:
        prompt, user = PromptTemplate.objects.lookup(identifier), request.user
        if prompt is not None:
            require_editor(user, prompt)
        elif not (is_site_staff(user) or is_staff_of(user, self.context)):
            raise NotAllowed
        fields = _body(request)
        unknown = sorted(set(fields) - {"body", "updated_at"})
        if unknown:
            raise InvalidRequest(_("Only body can be changed, not: {names}.").format(names=", ".join(unknown)))
        body = fields.get("body")
        if not isinstance(body, str) or not body.strip():
            raise InvalidRequest(_("body is required, as a text that is not blank."))
        problem = body_problem(body)
        if problem:
            raise InvalidRequest(_("body: {problem}").format(problem=problem))
        with transaction.atomic(using=router.db_for_write(PromptTemplate)):
            # Locked first: of two who save at once the second must see what the first has written.
            prompt = PromptTemplate.objects.select_for_update().get(pk=(prompt or _no_prompt()).pk)
            _require_current(request, prompt, fields.get("updated_at"))
            require_no_mask(prompt, body)
            if body != prompt.body:
                prompt.body = body
                prompt.save()
                record(user, prompt, _("Changed through the API."))
        return _shown(prompt, user)


def _no_prompt() -> NoReturn:
    raise Http404


def _shown(prompt: PromptTemplate, reader: Any) -> Response:
    data = prompt_data(prompt, len(profiles_using(prompt)), reader)
    return Response(data, headers={"ETag": f'"{version_of(prompt.body)}"'})


def _require_current(request: Request, prompt: PromptTemplate, updated_at: Any) -> None:
    """Whoever says which wording they read must have read the present one.

    Raises:
        Outdated: it is another.
        InvalidRequest: that is no time.
    """
    tags = parse_etags(request.headers.get("If-Match", "*"))
    if tags != ["*"] and f'"{version_of(prompt.body)}"' not in tags:
        raise Outdated
    if updated_at is None:
        return
    try:
        read = parse_datetime(updated_at) if isinstance(updated_at, str) else None
    except ValueError:
        read = None
    if read is None or is_naive(read):
        raise InvalidRequest(_("updated_at must be the time that the prompt was read with."))
    if read != prompt.updated_at:
        raise Outdated
