"""``LLMProcessor``: builds requests to the model from a profile's configuration."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from django.utils.translation import get_language

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.core.provider_parameters import MODEL_OPTIONS, RESERVED_OPTION
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.exceptions import AIExtensionsError, LLMConfigError
from openedx_ai_extensions.execution.execution import current_execution
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.moderation import Review
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors.base import Processor, function, is_marked
from openedx_ai_extensions.processors.llm.conversation.conversation import Conversation, add_counts
from openedx_ai_extensions.processors.llm.conversation.messages import build_messages, without_tools
from openedx_ai_extensions.processors.llm.language import LEARNER, language_rule
from openedx_ai_extensions.processors.llm.provider import calls, responses, types
from openedx_ai_extensions.processors.llm.provider.providers import Capabilities, find_provider
from openedx_ai_extensions.processors.openedx.content import CourseContent
from openedx_ai_extensions.prompts.builtin import builtin_prompt
from openedx_ai_extensions.prompts.citations import Passages
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.tools import Tool, Toolbox, ToolContext
from openedx_ai_extensions.tools.mcp import McpServer, mcp_server
from openedx_ai_extensions.tools.registry import find_tool

logger = logging.getLogger(__name__)

LISTED = "list"  # value of ``citations``: as text
MAX_THREAD_RESPONSES = 200  # of a fetched thread
# Keys of the configuration; other keys of ``extra_params`` are parameters for the model.
CONFIG_KEYS = frozenset(
    {"function", "provider", "prompt", "prompt_template", "stream", "options", "enabled_tools", "mcp_configs", "cache",
     "fallbacks", "moderation", "language", "citations", "follow_ups"}
)  # fmt: skip
Answer = dict[str, Any] | Conversation


def _with_builtin_prompt(name: str) -> Callable[[LLMProcessor], str]:
    """A function whose prompt is a built-in text."""
    return function(lambda _processor: builtin_prompt(name))


class LLMProcessor(Processor):
    """Asks the model, as the profile's ``LLMProcessor`` (or the name of a subclass) configures it.

    A subclass adds functions. One with ``@function`` returns a system prompt. One without it may do the same, or call
    ``ask`` and return the answer.

    Args:
        config: the profile's whole ``processor_config``.
        user_session: the person's session, for functions that need one, and for tools.
        extra_params: overrides the configuration for this call, such as ``{"stream": False}``; keys that are not part
            of the configuration are parameters for the model, such as ``response_format``.
        tool_context: the person and the place of tool calls; by default those of the session, otherwise of the run
            under way.

    Attributes:
        default_language: used if the configuration names none; None for the language of the input.
        extra_params: may be changed until the model is asked.
        context, input_data, chat_history: the arguments of ``process``, as texts and messages.
    """

    default_function = "call_with_custom_prompt"
    default_language: str | None = LEARNER

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        user_session: Any = None,
        extra_params: Mapping[str, Any] | None = None,
        tool_context: ToolContext | None = None,
    ) -> None:
        super().__init__(config)
        self.user_session = user_session
        self.extra_params: dict[str, Any] = dict(extra_params or {})
        self.config = {**self.config, **self._overlay}
        self.tool_context = self._citing(tool_context or _tool_context(user_session))
        self.conversation: Conversation | None = None
        self.context = self.input_data = ""
        self.chat_history: Sequence[Mapping[str, Any]] = ()
        self._thread: types.Thread | None = None
        self._on_passed: Callable[[str], None] = _ignore

    @property
    def _overlay(self) -> dict[str, Any]:
        """The extra parameters that override the configuration."""
        return {name: value for name, value in self.extra_params.items() if name in CONFIG_KEYS or name in self.config}

    def _setting(self, name: str, default: Any = None) -> Any:
        return self._overlay.get(name, self.config.get(name, default))

    def _citing(self, context: ToolContext | None) -> ToolContext | None:
        """The tool context, in which tools label passages if the answer cites them."""
        execution = current_execution()
        if context is None or execution is None or not self._setting("citations"):
            return context
        return replace(context, passages=execution.passages)

    @property
    def provider(self) -> str:
        """Name of an entry of the setting ``AI_EXTENSIONS``."""
        return self._setting("provider") or "default"

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities of the provider.

        Raises:
            LLMConfigError: the site has no such provider.
        """
        return find_provider(self.provider).capabilities

    @property
    def options(self) -> Mapping[str, Any]:
        """Parameters for the model: those of the configuration, and those of ``extra_params``."""
        given = {name: _as_json(value) for name, value in self.extra_params.items() if name not in self._overlay}
        refused = sorted(name for name in given if RESERVED_OPTION.fullmatch(name))
        if refused:
            logger.warning("llm.extra_params.ignored names=%s", ",".join(map(logged, refused)))
        own: Mapping[str, Any] = self._setting("options") or {}
        left_out = sorted(own.keys() - MODEL_OPTIONS)
        if left_out:
            logger.warning("llm.options_not_allowed names=%s", ",".join(map(logged, left_out)))
        return {
            **{name: value for name, value in own.items() if name not in left_out},
            **{name: value for name, value in given.items() if name not in refused},
        }

    @property
    def fallbacks(self) -> Sequence[str]:
        """Names of the fallback providers: those of the profile (possibly none), otherwise of the provider's entry.

        Raises:
            LLMConfigError: the site has no such provider.
        """
        own: Sequence[str] | None = self._setting("fallbacks")
        return find_provider(self.provider).fallbacks if own is None else own

    @property
    def provider_identity(self) -> str:
        """Identifies provider and model; a thread is only valid for the same identity."""
        provider = find_provider(self.provider)
        return f"{provider.name}:{provider.model}"

    @property
    def language_rule(self) -> str:
        """The rule about the language of the answer: the configured one, otherwise that of the class."""
        choice = self._setting("language") or self.default_language
        if choice is None:
            return builtin_prompt("language")
        course_id = self.tool_context.course_id if self.tool_context else None
        course = (course_id and get_platform().course_language(course_id)) or conf.site_language()
        return language_rule(choice, course=course, reader=get_language())

    @property
    def keeps_threads(self) -> bool:
        """Can the provider store the conversation of this profile? Never in a dry run."""
        return (
            self._may_be_kept
            and self.capabilities.keeps_threads
            and responses.understands(find_provider(self.provider), self.options)
        )

    @property
    def _may_be_kept(self) -> bool:
        """May a provider or the response cache store the conversation?"""
        execution = current_execution()
        return execution is None or execution.stores

    def process(
        self,
        context: Any = None,
        input_data: Any = None,
        chat_history: Sequence[Mapping[str, Any]] | None = None,
        thread: types.Thread | None = None,
        on_passed: Callable[[str], None] | None = None,
    ) -> Any:
        """Run the configured function: ask the model with the prompt that it returns, or return its answer.

        Args:
            context: course text, or the result of ``OpenEdXProcessor.process``.
            input_data: the learner's text, or ``user_input`` unchanged.
            chat_history: earlier messages in OpenAI's format, oldest first. Also needed with a thread, which the
                provider may have lost.
            thread: the provider's thread to continue, see ``keeps_threads``; None for a call without one.
            on_passed: called with the text that is sent in place of the learner's, after the site's limits have allowed
                the call and before a provider is called; possibly several times.

        Returns:
            ``{"response", "usage", "model_used", "status", "finish_reason"}`` and, if there are some, ``citations`` and
            ``follow_ups``; or a ``Conversation`` (a generator of UTF-8 bytes) that has started; ``conversation`` is the
            same in both cases. If an unmarked function of a subclass returns something other than a text, it is
            returned unchanged.

        Raises (also while iterating):
            ContentRejected: the input must not be sent, or the answer must not be shown.
            AIExtensionsError: the configuration is unusable, or the provider failed.
        """
        self.context, self.input_data, self.chat_history = _text(context), _text(input_data), chat_history or ()
        self._thread, self._on_passed = thread, on_passed or _ignore
        if is_marked(type(self), self.function_name):
            return self.ask(self.system_prompt())
        said = self.call_function()
        return self.ask(said) if isinstance(said, str) else said

    def ask(self, system_prompt: str, *, stream: bool | None = None) -> Answer:
        """Ask the model with this prompt about the arguments of ``process``. All rules apply: the profile's provider,
        options and tools, the site's limits and rules, moderation, and the ledger.

        Args:
            system_prompt: the task. The ground rules and the course text are appended to it.
            stream: by default as configured.

        Returns, Raises: as ``process``.
        """
        streams = bool(self._setting("stream", True)) if stream is None else stream
        review = self.review()
        text = review.request(_text(self.input_data))
        max_rounds = conf.get("AI_EXTENSIONS_MAX_TOOL_ROUNDS")
        toolbox = self._toolbox() if max_rounds else None
        request = self._request(system_prompt, text, toolbox, review.run)
        ask = calls.stream if streams else calls.complete
        watches = review if review.watches_answers else None
        conversation = Conversation(
            request,
            toolbox,
            ask,
            max_rounds=max_rounds,
            review=watches,
            is_whole=not streams,
            passages=self._passages(),
            lists_citations=self._setting("citations") == LISTED,
            reads_follow_ups=bool(self._setting("follow_ups")) or self._had_marks,
        )
        add_counts(conversation.usage, review.take_usage())
        self.conversation = conversation
        if streams:
            return conversation
        return {
            "response": b"".join(conversation).decode(),
            "usage": conversation.usage,
            "model_used": conversation.model_used,
            "status": "completed",
            "finish_reason": conversation.finish_reason,
            **({"citations": conversation.citations} if conversation.citations else {}),
            **({"follow_ups": conversation.follow_ups} if conversation.follow_ups else {}),
        }

    def _passages(self) -> Passages | None:
        """The passages that the answer may cite: none if it should not, but earlier answers of the conversation did."""
        execution = current_execution()
        if execution is not None and self._setting("citations"):
            return execution.passages
        return {} if self._had_marks else None

    @property
    def _had_marks(self) -> bool:
        """Do earlier answers contain labels or follow-ups, which the model may imitate?"""
        return any(message["role"] == "assistant" and "sent" in message for message in self.chat_history)

    def _call_completion_wrapper(self, system_role: str) -> Answer:
        """The former name of ``ask``, used by older extensions; returns a complete answer."""
        warnings.warn("Use ask(system_prompt).", DeprecationWarning, stacklevel=2)
        return self.ask(system_role, stream=False)

    def _request(self, prompt: str, input_text: str, toolbox: Toolbox | None, run: Run) -> types.Request:
        tools = toolbox.definitions if toolbox else ()
        if self._setting("citations") and (tools or self._passages()):
            prompt = f"{prompt}\n\n{builtin_prompt('citations')}"
        if self._setting("follow_ups"):
            prompt = f"{prompt}\n\n{builtin_prompt('follow_ups')}"
        messages = build_messages(
            prompt=prompt,
            language=self.language_rule,
            context=_text(self.context),
            chat_history=self.chat_history if tools else without_tools(self.chat_history),
            input_text=input_text,
        )
        return types.Request(
            provider=self.provider,
            messages=messages,
            options=self.options,
            tools=tools,
            hosted_tools=[server.hosted for server in self._servers if self._is_hosted(server)],
            thread=self._thread,
            seconds=find_provider(self.provider).total_timeout,
            run=run,
            fallbacks=self.fallbacks,
            may_trim=True,
            may_be_cached=bool(self._setting("cache")) and self._thread is None and not tools and self._may_be_kept,
            on_admitted=partial(self._on_passed, input_text),
        )

    def review(self) -> Review:
        """The review of one question to the model and its answer."""
        execution = current_execution()
        return Review(self._setting("moderation"), execution.run if execution else self._standalone_run())

    def _standalone_run(self) -> Run:
        """A ledger account for a processor that is used outside of a workflow's run.

        Raises:
            Refused: AI is switched off or paused there.
        """
        place: dict[str, Any] = {
            name: getattr(self.tool_context, name, None) for name in ("user", "course_id", "location_id")
        }
        Guard(**place).require_allowed(asks_model=False)
        return Run(**place, action=self.function_name)

    def _toolbox(self) -> Toolbox | None:
        """The tools that the profile enables: local ones, and those of MCP servers that the provider does not call
        itself; None if there are none.
        """
        if self.tool_context is None:
            return None
        found = (find_tool(name) for name in self._setting("enabled_tools") or ())
        tools: list[Tool] = [tool for tool in found if tool is not None]
        for server in self._servers:
            if not self._is_hosted(server):
                tools += server.tools()
        return Toolbox(tools, self.tool_context) if tools else None

    @cached_property
    def _servers(self) -> list[McpServer]:
        found = (mcp_server(name) for name in self._setting("mcp_configs") or ())
        return [server for server in found if server is not None]

    def _is_hosted(self, server: McpServer) -> bool:
        """Does the provider call this MCP server itself? Only possible in the API with threads."""
        return self._thread is not None and server.may_be_hosted and self.capabilities.runs_mcp

    def fetch_thread(self, response_id: str) -> list[dict[str, Any]]:
        """The responses of a provider's thread up to this one, oldest first.

        A response that cannot be fetched is ``{"id", "error": {"code", "message"}}``.
        """
        thread: list[dict[str, Any]] = []
        while response_id and len(thread) < MAX_THREAD_RESPONSES:
            try:
                response = dict(responses.fetch(self.provider, response_id))
            except AIExtensionsError as error:
                thread.append({"id": response_id, "error": {"code": error.code, "message": str(error)}})
                break
            thread.append(response)
            response_id = response.get("previous_response_id") or ""
        return thread[::-1]

    def system_prompt(self) -> str:
        """The prompt template, otherwise the profile's prompt, otherwise the function's built-in text.

        Raises:
            LLMConfigError: the prompt template does not exist, or there is no prompt.
        """
        reference = self._setting("prompt_template")
        if reference:
            template = PromptTemplate.objects.lookup(reference)
            if template is None:
                raise LLMConfigError
            return template.body
        built_in: str = self.call_function()
        prompt = self._setting("prompt") or built_in
        if not prompt:
            raise LLMConfigError
        return prompt

    @function
    def call_with_custom_prompt(self) -> str:
        """No built-in prompt: the profile contains it."""
        return ""

    summarize_content = _with_builtin_prompt("summarize_content")
    explain_like_five = _with_builtin_prompt("explain_like_five")
    greet_from_llm = _with_builtin_prompt("greet_from_llm")
    answer_question = _with_builtin_prompt("answer_question")
    chat_with_context = _with_builtin_prompt("chat_with_context")
    generate_flashcards = _with_builtin_prompt("generate_flashcards")


def _tool_context(session: Any) -> ToolContext | None:
    """The tool context of a session, otherwise of the run under way."""
    if session is not None:
        return ToolContext(session.user, session.course_id or None, session.location_id or None, get_platform())
    execution = current_execution()
    if execution is None:
        return None
    guard = execution.guard  # the guard knows the course of a location
    return ToolContext(execution.user, guard.course_id, guard.location_id, get_platform())


def _as_json(option: Any) -> Any:
    """Convert an option for sending. Extensions may pass a pydantic model as ``response_format``, as LiteLLM allows."""
    make_schema = getattr(option, "model_json_schema", None)  # avoids importing pydantic
    if not isinstance(option, type) or make_schema is None:
        return option
    return {"type": "json_schema", "json_schema": {"name": option.__name__, "schema": make_schema()}}


def _text(value: Any) -> str:
    """Convert an argument of an extension, often ``user_input`` or course content, to a text."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, CourseContent):
        return str(value)
    if isinstance(value, Mapping) and set(value) <= {"text"}:
        return _text(value.get("text"))
    return json.dumps(value, ensure_ascii=False, default=str)


def _ignore(_text: str) -> None:
    """The default of ``on_passed``."""
