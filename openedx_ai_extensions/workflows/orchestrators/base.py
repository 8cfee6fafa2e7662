"""The base class of orchestrators, the decorator that publishes an action, and the orchestrators without a session."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any, ClassVar, Self, TypeVar, overload

from django.utils.module_loading import import_string
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import InvalidRequest, UnknownAction, WorkflowNotFound
from openedx_ai_extensions.execution.answers import Ending, Result, Stream
from openedx_ai_extensions.execution.execution import Execution, Traits, current_execution
from openedx_ai_extensions.feedback.learners import asks_for_feedback, feedback_of
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors import LLMProcessor, OpenEdXProcessor
from openedx_ai_extensions.processors.llm.provider.stream import Chunks
from openedx_ai_extensions.processors.openedx.passages import contains_passage
from openedx_ai_extensions.prompts.citations import Citation
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.tools import ToolContext
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowScope
from openedx_ai_extensions.workflows.orchestrators.extension_answers import ExtensionChunks, result_of, usage_of
from openedx_ai_extensions.workflows.session import AIWorkflowSession
from openedx_ai_extensions.xapi.constants import EVENT_COMPLETED

ActionMethod = TypeVar("ActionMethod", bound=Callable[..., Any])

logger = logging.getLogger(__name__)

# Published by its name, with or without the decorator: every orchestrator needs it.
RUN = "run"
MAX_PASSAGE_CHARS = 2000
OWN_PACKAGE = __name__.partition(".")[0]


@overload
def action(method: ActionMethod) -> ActionMethod: ...
@overload
def action(
    *,
    asks_model: bool = True,
    asks_model_later: bool = False,
    replayable: bool = True,
    always_allowed: bool = False,
    keeps_nothing: bool = False,
    max_chars: str = "AI_EXTENSIONS_MAX_INPUT_CHARS",
) -> Callable[[ActionMethod], ActionMethod]: ...
def action(method: Any = None, **traits: Any) -> Any:
    """Decorator: publish this method as an action. Overrides of the method inherit the traits.

    Args:
        method: the method, when used without arguments.
        traits: see ``Traits``. Use ``asks_model=False`` for an action that calls no model.
    """

    def mark(marked: ActionMethod) -> ActionMethod:
        vars(marked)["traits"] = Traits(**traits)
        return marked

    return mark if method is None else mark(method)


class BaseOrchestrator:
    """Runs one action of a workflow for one person.

    A subclass implements its actions: ``run``, and other methods with ``@action``, which take the client's
    ``user_input``. They return a ``Result`` or a ``Stream``; the helpers ``result`` and ``stream`` also emit the xAPI
    event. They may also return ``{"response", "status"}``, or a generator of bytes: for these an event is emitted if
    the action may have asked a model. ``{"error", "status": "error"}`` becomes a ``ProcessorError``.

    Args:
        workflow: the resolved scope, with its profile.
        user: the person who asks.
        context: ``course_id`` and ``location_id`` (opaque keys or None), ``run_id``, ``accepts_stream``.
    """

    # True: an answer may cite the course, if the profile sets ``citations``.
    cites: ClassVar[bool] = False
    # False: the orchestrator ignores ``processor_config``.
    reads_processors: ClassVar[bool] = True
    actions: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    traits: ClassVar[Mapping[str, Traits]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # From the most general class to this one, so that the most specific traits win.
        marks = {
            name: vars(value)["traits"]
            for base in reversed(cls.__mro__)
            for name, value in vars(base).items()
            if isinstance(value, FunctionType) and "traits" in vars(value)
        }
        if isinstance(getattr(cls, RUN, None), FunctionType):
            marks.setdefault(RUN, Traits())
        cls.traits = marks
        cls.actions = {name: getattr(cls, name) for name in marks}

    def __init__(self, workflow: AIWorkflowScope, user: Person, context: Mapping[str, Any]) -> None:
        self.workflow = workflow
        self.user = user
        self.context = context
        self.profile = workflow.profile
        self.course_id = context.get("course_id")
        self.location_id = context.get("location_id")
        self.execution = current_execution() or _execution_of(workflow, user, context)
        self._is_recorded = False

    @classmethod
    def get_orchestrator(cls, *, workflow: AIWorkflowScope, user: Person, context: Mapping[str, Any]) -> Self:
        """Create the orchestrator for a request. Override it to prepare an instance."""
        return cls(workflow, user, context)

    @classmethod
    def is_available_to(cls, user: Person, course_id: CourseKey | None) -> bool:
        """May this person use the workflow in this course? If not, its widget is hidden.

        Override it in orchestrators that only some people may use. Actions must check their own permissions.
        """
        return True

    def run_action(self, name: str, user_input: Any) -> Result | Stream:
        """Run a published action.

        Raises:
            UnknownAction: the orchestrator has no such action.
            ProcessorError: the action reports an error.
        """
        method = self.actions.get(name)
        if method is None:
            raise UnknownAction
        try:
            outcome = method(self, user_input)
            if isinstance(outcome, Iterator) and not isinstance(outcome, Stream):
                outcome = self.stream(outcome)
                if not self.context.get("accepts_stream", True):
                    text = b"".join(outcome).decode()
                    outcome = Result(text, finish_reason=outcome.finish_reason)
            if isinstance(outcome, Mapping):
                outcome = self._result_of(outcome, asks_model=self.traits[name].asks_model)
        except BaseException:
            self.execution.close_conversations()
            raise
        if isinstance(outcome, Stream):
            return outcome
        self.execution.close_conversations()
        if not isinstance(outcome, Result):
            raise TypeError(f"{type(self).__name__}.{name} returned a {type(outcome).__name__}, which is no answer.")
        return outcome

    def _result_of(self, fields: Mapping[str, Any], *, asks_model: bool) -> Result:
        """Convert a dictionary to a result; emit the event if the action asks a model and none was emitted yet."""
        result = result_of(fields, asks_model=asks_model)
        if asks_model and result.status == "completed" and not self._is_recorded:
            usage = fields.get("usage")
            self.record(
                EVENT_COMPLETED, usage if isinstance(usage, Mapping) else usage_of(self.execution.conversations)
            )
        return result

    def result(self, response: Any, usage: Mapping[str, int] | None = None, finish_reason: str = "") -> Result:
        """Create a complete answer and emit ``completed``.

        Args:
            response: any JSON-serialisable value.
            usage: token counts.
            finish_reason: how the model's text ended, see ``processors.llm.FinishReason``.
        """
        self.record(EVENT_COMPLETED, usage or {})
        return Result(response, finish_reason=finish_reason)

    def stream(self, source: Iterator[Any]) -> Stream:
        """Create a streamed answer; ``completed`` is emitted when it has arrived completely.

        Args:
            source: the answer of ``LLMProcessor``, or any generator of UTF-8 bytes or texts. It is always closed; its
                attribute ``usage``, if it has one, is read at the end.
        """
        chunks = source if isinstance(source, Chunks) else ExtensionChunks(source, self.execution)

        def finish(ending: Ending, _text: str) -> None:
            if ending is Ending.COMPLETED:
                self.record(EVENT_COMPLETED, getattr(chunks, "usage", None) or {})

        return Stream(chunks, finish=finish, run_id=str(self.context.get("run_id") or ""))

    def course_content(self) -> str:
        """The course text that the profile configures; empty if it configures none."""
        if "OpenEdXProcessor" not in self.profile.processor_config:
            return ""
        return OpenEdXProcessor(
            processor_config=self.profile.processor_config,
            location_id=self.location_id,
            course_id=self.course_id,
            user=self.user,
        ).text(self.execution.passages if self.cites and self._wants_citations else None)

    @property
    def _wants_citations(self) -> bool:
        return any(config.get("citations") for config in self.profile.processor_config.values())

    def question(self, user_input: Any) -> str:
        """The person's text in an action's input, see ``input_text``. If the input has a ``passage``, which the person
        selected on the page, it is quoted below the text.

        Raises:
            InvalidRequest: the input has another form, or the passage is not in the content around the location.
        """
        text = input_text(user_input)
        passage = user_input.get("passage") if isinstance(user_input, Mapping) else None
        if not passage:
            return text
        if not isinstance(passage, str) or len(passage) > MAX_PASSAGE_CHARS:
            too_long = _("passage must be a text of at most {limit} characters.")
            raise InvalidRequest(too_long.format(limit=MAX_PASSAGE_CHARS))
        page = OpenEdXProcessor(location_id=self.location_id, course_id=self.course_id, user=self.user)
        if not contains_passage(page.get_location_content(), passage):
            raise InvalidRequest(_("The selected passage is not part of this page."))
        return f"{text}\n\n\u201c{passage.strip()}\u201d"

    def record(self, event: str, usage: Mapping[str, int]) -> None:
        """Emit an event, one of ``xapi.constants.EVENTS``, with token counts."""
        self._is_recorded = True
        self.execution.record(
            event,
            user=self.user,
            workflow_id=str(self.workflow.pk),
            action=self.execution.action,
            course_id=str(self.course_id) if self.course_id else None,
            profile_name=self.profile.slug,
            location_id=str(self.location_id) if self.location_id else None,
            usage=dict(usage),
            prompt_template_slug=self._prompt_template_slug(),
        )

    def _prompt_template_slug(self) -> str | None:
        """The slug of the profile's prompt template; None if it names none."""
        for config in self.profile.processor_config.values():
            if config.get("prompt_template"):
                template = PromptTemplate.objects.lookup(str(config["prompt_template"]))
                return template.slug if template else None
        return None


BUILT_IN: dict[str, type[BaseOrchestrator]] = {}  # by name; filled by the package, which imports them all


def orchestrator_class(name: str) -> type[BaseOrchestrator]:
    """The orchestrator that a template names: a built-in's short name or a dotted path.

    A built-in may be named by any path inside this package: published templates contain module names of several
    versions.

    Raises:
        ImportError: there is no such name, or the dotted path cannot be imported.
        TypeError: it is not an orchestrator.
    """
    package, _dot, short = name.rpartition(".")
    if short in BUILT_IN and package.partition(".")[0] in {"", OWN_PACKAGE}:
        return BUILT_IN[short]
    if "." not in name:
        raise ImportError(f"No orchestrator is called {name!r}.")
    found = import_string(name)
    if not (isinstance(found, type) and issubclass(found, BaseOrchestrator)):
        raise TypeError(f"{name!r} is not a subclass of BaseOrchestrator.")
    return found


def orchestrator_for(workflow: AIWorkflowScope, action: str) -> type[BaseOrchestrator]:
    """The orchestrator class of a workflow.

    Raises:
        WorkflowNotFound: the class cannot be found.
        UnknownAction: it has no such action.
    """
    try:
        orchestrator = orchestrator_class(workflow.profile.orchestrator_class or "")
    except (ImportError, TypeError):
        # Checked when the profile was saved, so the code has changed. The log and the system checks report it.
        logger.exception("workflow.orchestrator.missing profile=%s", workflow.profile.slug)
        raise WorkflowNotFound from None
    if action not in orchestrator.actions:
        raise UnknownAction
    return orchestrator


def is_available_to(profile: AIWorkflowProfile, user: Person, course_id: CourseKey | None) -> bool:
    """May this person use the workflow in this course? False if its orchestrator cannot be found."""
    try:
        return orchestrator_class(profile.orchestrator_class or "").is_available_to(user, course_id)
    except (ImportError, TypeError):
        return False


def _execution_of(workflow: AIWorkflowScope, user: Person, context: Mapping[str, Any]) -> Execution:
    """Create an execution for an orchestrator that an extension instantiates directly."""
    where: dict[str, Any] = {name: context.get(name) for name in ("course_id", "location_id")}
    return Execution(
        user=user,
        scope=workflow,
        action=workflow.action or "",
        traits=Traits(),
        run=Run(user=user, profile_id=workflow.profile_id, profile_slug=workflow.profile.slug, **where),
        guard=Guard(user=user, profile=workflow.profile, **where),
        **where,
    )


def input_text(user_input: Any) -> str:
    """The person's text in an action's input: a string, or an object with ``text``; empty if there is none.

    Raises:
        InvalidRequest: the input has another form.
    """
    text = user_input.get("text", "") if isinstance(user_input, Mapping) else user_input
    if text is None:
        return ""
    if not isinstance(text, str) or (isinstance(user_input, Mapping) and user_input and "text" not in user_input):
        raise InvalidRequest(_("user_input must be a text, or an object with a text."))
    return text


class DirectLLMResponse(BaseOrchestrator):
    """Reads the course, asks the model and answers, streamed or not. The model gets no history.

    If the profile sets ``keepAnswer``, the person's last answer at each location is kept.
    """

    cites = True

    @action
    def run(self, user_input: Any) -> Result | Stream:
        question = self.question(user_input)
        session = self.execution.session(self.location_id) if self._keeps_answers else None
        answer = LLMProcessor(
            self.profile.processor_config,
            extra_params=None if self.context.get("accepts_stream", True) else {"stream": False},
            tool_context=ToolContext(self.user, self.course_id, self.location_id, get_platform()),
        ).process(context=self.course_content(), input_data=question)

        def keep(text: str, finish_reason: str, citations: Sequence[Citation]) -> None:
            continues = isinstance(user_input, Mapping) and bool(user_input.get("continues"))
            if session is not None:
                session.keep_answer(
                    question=question,
                    text=text,
                    finish_reason=finish_reason,
                    continues=continues,
                    citations=citations,
                    run_id=str(self.context.get("run_id") or ""),
                )

        if isinstance(answer, dict):
            citations = answer.get("citations", ())
            keep(answer["response"], answer["finish_reason"], citations)
            result = self.result(answer["response"], answer["usage"], answer["finish_reason"])
            return replace(result, extra={"citations": citations}) if citations else result
        stream = self.stream(answer)

        def keep_if_completed(ending: Ending, text: str) -> None:
            if ending is Ending.COMPLETED:
                keep(text, stream.finish_reason, stream.citations)

        stream.on_finish(keep_if_completed)
        return stream

    @action
    def simple_button_assistance(self, user_input: Any) -> Result | Stream:
        """The name of ``run`` in older widgets."""
        return self.run(user_input)

    @action(asks_model=False, replayable=False, keeps_nothing=True)
    def get_current_session_response(self, _user_input: Any) -> Result:
        """The person's last answer at this location, with its question and its time."""
        kept = self._session_if_any.kept_answer if self._keeps_answers else None
        if kept is None:
            return Result(None)
        about = {name: kept[name] for name in ("question", "answered_at", "citations") if kept.get(name) is not None}
        run_id = kept.get("run_id")
        if run_id and asks_for_feedback(self.profile):
            about["run_id"] = run_id
            given = feedback_of(self.user, [run_id]).get(run_id)
            about |= {"feedback": given.as_dict()} if given else {}
        return Result(kept["text"], extra=about, finish_reason=kept["finish_reason"])

    @action(asks_model=False, keeps_nothing=True)
    def clear_session(self, _user_input: Any) -> Result:
        """Delete the last answer."""
        self._session_if_any.delete()
        return Result("", status="session_cleared")

    @property
    def _keeps_answers(self) -> bool:
        response: Mapping[str, Any] = self.profile.get_ui_components().get("response", {})
        return response.get("config", {}).get("keepAnswer") is True

    @property
    def _session_if_any(self) -> AIWorkflowSession:
        return self.execution.session(self.location_id, creates=False)
