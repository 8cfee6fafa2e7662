"""``LLMProcessor``: what a profile wants from the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.processors.base import Processor, function
from openedx_ai_extensions.processors.llm import gateway
from openedx_ai_extensions.processors.llm.messages import build_messages
from openedx_ai_extensions.processors.llm.stream import TextStream
from openedx_ai_extensions.prompts.builtin import builtin_prompt
from openedx_ai_extensions.prompts.models import PromptTemplate

Answer = dict[str, Any] | TextStream


class LLMProcessor(Processor):
    """Asks the model, as the profile's ``LLMProcessor`` (or a subclass's own name) configures it.

    A subclass adds functions: methods marked with ``@function`` that return a system prompt.

    Args:
        config: the profile's whole ``processor_config``.
        user_session: the person's session, for functions that need one.
        extra_params: laid over the configuration for this one call, such as ``{"stream": False}``.
    """

    default_function = "call_with_custom_prompt"

    def __init__(
        self,
        config: Mapping[str, Any] | None,
        user_session: Any = None,
        extra_params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(config)
        self.user_session = user_session
        self.config = {**self.config, **(extra_params or {})}

    def process(
        self,
        context: str | None = None,
        input_data: str | None = None,
        chat_history: Sequence[dict[str, Any]] | None = None,
    ) -> Answer:
        """Ask the model.

        Args:
            context: course text.
            input_data: the learner's words.
            chat_history: earlier messages in OpenAI's form, oldest first.

        Returns:
            ``{"response", "usage", "model_used", "status"}``, or a ``TextStream`` (a generator of UTF-8 bytes) whose
            first text has arrived.

        Raises:
            AIExtensionsError: the configuration is unusable, or the provider failed.
        """
        request = gateway.Request(
            provider=self.config.get("provider") or "default",
            messages=build_messages(
                prompt=self.system_prompt(),
                context=context or "",
                chat_history=chat_history or (),
                input_text=input_data or "",
            ),
            options=self.config.get("options") or {},
        )
        if self.config.get("stream", True):
            return gateway.stream(request)
        completion = gateway.complete(request)
        return {
            "response": completion.text,
            "usage": dict(completion.usage),
            "model_used": completion.model_used,
            "status": "completed",
        }

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
