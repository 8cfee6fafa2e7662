"""``LLMProcessor``: what a profile wants from the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from openedx_ai_extensions import conf
from openedx_ai_extensions.accounting import Run, current_run
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.exceptions import AIExtensionsError, LLMConfigError
from openedx_ai_extensions.moderation import Review
from openedx_ai_extensions.processors.base import Processor, function
from openedx_ai_extensions.processors.llm import calls, exchange, gateway, responses
from openedx_ai_extensions.processors.llm.conversation import Conversation
from openedx_ai_extensions.processors.llm.messages import build_messages, without_tools
from openedx_ai_extensions.processors.llm.moderated import ModeratedConversation
from openedx_ai_extensions.processors.llm.providers import Capabilities, find_provider
from openedx_ai_extensions.prompts.builtin import builtin_prompt
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.rules import Guard
from openedx_ai_extensions.tools import Tool, Toolbox, ToolContext
from openedx_ai_extensions.tools.mcp import McpServer, mcp_server
from openedx_ai_extensions.tools.registry import find_tool
from openedx_ai_extensions.workflows.trial import current_trial

MAX_RESPONSES = 200  # of a thread, when all of it is fetched

Answer = dict[str, Any] | Conversation


class LLMProcessor(Processor):
    """Asks the model, as the profile's ``LLMProcessor`` (or a subclass's own name) configures it.

    A subclass adds functions: methods marked with ``@function`` that return a system prompt.

    Args:
        config: the profile's whole ``processor_config``.
        user_session: the person's session, for functions that need one, and for tools.
        extra_params: laid over the configuration for this one call, such as ``{"stream": False}``.
        tool_context: for whom and where tools run; the session's person and place when left out.
    """

    default_function = "call_with_custom_prompt"

    def __init__(
        self,
        config: Mapping[str, Any] | None,
        user_session: Any = None,
        extra_params: Mapping[str, Any] | None = None,
        tool_context: ToolContext | None = None,
    ) -> None:
        super().__init__(config)
        self.user_session = user_session
        self.config = {**self.config, **(extra_params or {})}
        self.tool_context = tool_context or _context_of(user_session)
        self.conversation: Conversation | None = None

    @property
    def provider(self) -> str:
        """Name of an entry of the setting ``AI_EXTENSIONS``."""
        return self.config.get("provider") or "default"

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do.

        Raises:
            LLMConfigError: the site has no such provider.
        """
        return find_provider(self.provider).capabilities

    @property
    def options(self) -> Mapping[str, Any]:
        return self.config.get("options") or {}

    @property
    def fallbacks(self) -> Sequence[str]:
        """Names of the providers that stand in for it: the profile's own, even none, else the provider's entry's.

        Raises:
            LLMConfigError: the site has no such provider.
        """
        own: Sequence[str] | None = self.config.get("fallbacks")
        return find_provider(self.provider).fallbacks if own is None else own

    @property
    def provider_identity(self) -> str:
        """Changes when another provider, or another model of it, answers: its threads are not the same."""
        provider = find_provider(self.provider)
        return f"{provider.name}:{provider.model}"

    @property
    def keeps_threads(self) -> bool:
        """Can the provider remember a conversation of this profile? What is only tried out it is not to keep."""
        return current_trial() is None and self.capabilities.keeps_threads and responses.understands(self.options)

    def process(
        self,
        context: str | None = None,
        input_data: str | None = None,
        chat_history: Sequence[Mapping[str, Any]] | None = None,
        thread: exchange.Thread | None = None,
        on_passed: Callable[[str], None] = lambda _text: None,
    ) -> Answer:
        """Ask the model.

        Args:
            context: course text.
            input_data: the learner's words.
            chat_history: earlier messages in OpenAI's form, oldest first. Needed with a thread too: the provider may
                have lost it.
            thread: the conversation that the provider remembers, see ``keeps_threads``; None for a call of its own.
            on_passed: called before the model is asked, with what it gets in place of the learner's words.

        Returns:
            ``{"response", "usage", "model_used", "status"}``, or a ``Conversation`` (a generator of UTF-8 bytes) that
            has begun; ``conversation`` is the same in both cases.

        Raises (also while iterating):
            Unsuitable: the words are not passed on, or the answer must not be shown.
            AIExtensionsError: the configuration is unusable, or the provider failed.
        """
        streams = self.config.get("stream", True)
        review = self.review()
        text = review.request(input_data or "")
        on_passed(text)
        max_rounds = conf.get("AI_EXTENSIONS_MAX_TOOL_ROUNDS")
        toolbox = self._toolbox(thread) if max_rounds else None
        request = self._request(context or "", text, chat_history or (), toolbox, thread, review.run)
        ask = calls.stream if streams else calls.complete
        conversation = (
            ModeratedConversation(request, toolbox, ask, max_rounds=max_rounds, review=review, is_whole=not streams)
            if review.watches_answers
            else Conversation(request, toolbox, ask, max_rounds=max_rounds)
        )
        exchange.add_counts(conversation.usage, review.take_usage())
        self.conversation = conversation
        if streams:
            return conversation
        return {
            "response": b"".join(conversation).decode(),
            "usage": conversation.usage,
            "model_used": conversation.model_used,
            "status": "completed",
        }

    def _request(
        self,
        context: str,
        input_text: str,
        chat_history: Sequence[Mapping[str, Any]],
        toolbox: Toolbox | None,
        thread: exchange.Thread | None,
        run: Run,
    ) -> exchange.Request:
        tools = toolbox.definitions if toolbox else ()
        messages = build_messages(
            prompt=self.system_prompt(),
            context=context,
            chat_history=chat_history if tools else without_tools(chat_history),
            input_text=input_text,
        )
        return exchange.Request(
            provider=self.provider,
            messages=messages,
            options=self.options,
            tools=tools,
            hosted_tools=[server.hosted for server in self._servers if self._is_hosted(server, thread)],
            thread=thread,
            seconds=gateway.total_seconds(self.provider),
            run=run,
            fallbacks=self.fallbacks,
            may_trim=True,
            may_be_cached=bool(self.config.get("cache")) and thread is None and not tools and current_trial() is None,
        )

    def review(self) -> Review:
        """What looks at one question to the model, and at its answer."""
        return Review(self.config.get("moderation"), current_run() or self._run_of_its_own())

    def _run_of_its_own(self) -> Run:
        """For a processor that is used outside of any workflow's run.

        Raises:
            Refused: AI is switched off or paused there.
        """
        where = self.tool_context
        Guard(
            user=where.user if where else None,
            course_id=where.course_id if where else None,
            location_id=where.location_id if where else None,
        ).require_allowed(asks_model=False)
        return Run(
            user=where.user if where else None,
            course_id=where.course_id if where else None,
            location_id=where.location_id if where else None,
            action=self.config.get("function") or self.default_function,
        )

    def _toolbox(self, thread: exchange.Thread | None) -> Toolbox | None:
        """The tools that the profile enables: local ones, and those of MCP servers that we call ourselves."""
        if self.tool_context is None:
            return None
        found = (find_tool(name) for name in self.config.get("enabled_tools") or ())
        tools: list[Tool] = [tool for tool in found if tool is not None]
        for server in self._servers:
            if not self._is_hosted(server, thread):
                tools += server.tools()
        return Toolbox(tools, self.tool_context)

    @cached_property
    def _servers(self) -> list[McpServer]:
        found = (mcp_server(name) for name in self.config.get("mcp_configs") or ())
        return [server for server in found if server is not None]

    def _is_hosted(self, server: McpServer, thread: exchange.Thread | None) -> bool:
        """Does the provider call this MCP server itself? Only the API that keeps threads can."""
        return thread is not None and server.may_be_hosted and self.capabilities.runs_mcp

    def fetch_thread(self, response_id: str) -> list[dict[str, Any]]:
        """The responses that the provider keeps, oldest first, up to this one.

        A response that can't be had is ``{"id", "error": {"code", "message"}}``.
        """
        thread: list[dict[str, Any]] = []
        while response_id and len(thread) < MAX_RESPONSES:
            try:
                response = dict(gateway.fetch_response(self.provider, response_id))
            except AIExtensionsError as error:
                thread.append({"id": response_id, "error": {"code": error.code, "message": str(error)}})
                break
            thread.append(response)
            response_id = response.get("previous_response_id") or ""
        return thread[::-1]

    def system_prompt(self) -> str:
        """The prompt template, else the profile's own prompt, else the function's built-in text.

        Raises:
            LLMConfigError: the prompt template has gone, or a custom prompt was asked for and there is none.
        """
        reference = self.config.get("prompt_template")
        if reference:
            template = PromptTemplate.objects.lookup(reference)
            if template is None:
                raise LLMConfigError
            return template.body
        built_in: str = self.call_function()
        prompt = self.config.get("prompt") or built_in
        if not prompt:
            raise LLMConfigError
        return prompt

    @function
    def call_with_custom_prompt(self) -> str:
        """Nothing built in: the profile brings the prompt."""
        return ""

    @function
    def summarize_content(self) -> str:
        return builtin_prompt("summarize_content")

    @function
    def explain_like_five(self) -> str:
        return builtin_prompt("explain_like_five")

    @function
    def greet_from_llm(self) -> str:
        return builtin_prompt("greet_from_llm")

    @function
    def answer_question(self) -> str:
        return builtin_prompt("answer_question")

    @function
    def chat_with_context(self) -> str:
        return builtin_prompt("chat_with_context")

    @function
    def generate_flashcards(self) -> str:
        return builtin_prompt("generate_flashcards")


def _context_of(session: Any) -> ToolContext | None:
    """Where the tools of a session's conversation run."""
    if session is None:
        return None
    return ToolContext(session.user, session.course_id or None, session.location_id or None, get_platform())
