"""``EducatorAssistantProcessor``: generates quiz questions about the course, for review by an author."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openedx_ai_extensions.processors.base import function
from openedx_ai_extensions.processors.llm.processor import LLMProcessor
from openedx_ai_extensions.processors.llm.structured import ask_structured
from openedx_ai_extensions.processors.openedx.questions import clean_question, question_problems
from openedx_ai_extensions.processors.openedx.safe_html import plain_text
from openedx_ai_extensions.prompts.builtin import builtin_prompt, builtin_schema

SCHEMA = "quiz_questions"
OTHER_QUESTIONS_CHARS = 8_000  # of existing questions, sent to the model

Question = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quiz:
    """Generated questions, validated and sanitised.

    Attributes:
        title: a title for the questions, plain text.
        questions: in the form of ``read_question``, each with its ``olx``.
        usage: the token counts of all rounds.
    """

    title: str
    questions: Sequence[Question]
    usage: Mapping[str, int]


class EducatorAssistantProcessor(LLMProcessor):
    """Generates quiz questions, as the profile's ``EducatorAssistantProcessor`` configures it.

    Takes the same configuration as ``LLMProcessor``, without tools and streaming.
    """

    default_function = "generate_quiz_questions"
    # Who reads the questions is not who asks for them: in the language of the author's instructions or of the course.
    default_language = None

    @function
    def generate_quiz_questions(self) -> str:
        return builtin_prompt("generate_quiz_questions")

    def generate(self, number: int, *, context: str = "", extra_instructions: str = "") -> Quiz:
        """Generate questions.

        Args:
            number: the exact number of questions.
            context: course text.
            extra_instructions: the author's instructions.

        Raises:
            ProcessorError: the model did not write usable questions, not even in a second attempt.
            AIExtensionsError: the configuration is unusable, or the provider failed.
        """
        return self._quiz(number, f"Write exactly {number} questions.", context, extra_instructions)

    def regenerate(
        self, question: Question, others: Iterable[Question] = (), *, context: str = "", extra_instructions: str = ""
    ) -> Quiz:
        """Generate a replacement for a question.

        Args:
            question: the question to replace.
            others: the remaining questions, which must not be repeated.
            context, extra_instructions: as for ``generate``.

        Raises: as ``generate``.
        """
        replaced = {name: value for name, value in question.items() if name != "olx"}
        material = [context, f"The question to replace:\n{json.dumps(replaced, ensure_ascii=False)}", _listed(others)]
        return self._quiz(
            1,
            "Write exactly 1 question, to take the place of 'The question to replace'. Keep its type and its subject "
            "unless the author asks for something else, and repeat neither it nor any of 'The questions that stay'.",
            "\n\n".join(filter(None, material)),
            extra_instructions,
        )

    def _quiz(self, number: int, instructions: str, context: str, extra_instructions: str) -> Quiz:
        value, usage = ask_structured(
            self,
            builtin_schema(SCHEMA),
            name=SCHEMA,
            instructions=instructions,
            context=context,
            input_data=extra_instructions,
            check=lambda value: _problems(value["questions"], number),
        )
        questions = [clean_question(raw) for raw in value["questions"][:number]]
        return Quiz(plain_text(value["collection_name"]), questions, usage)


def _problems(questions: Sequence[Mapping[str, Any]], number: int) -> Iterator[str]:
    """Problems that the schema cannot express, for the model. Surplus questions are ignored."""
    if len(questions) < number:
        yield f"$.questions: {number} are wanted, these are {len(questions)}."
    for index, raw in enumerate(questions[:number]):
        for problem in question_problems(clean_question(raw)):
            yield f"$.questions[{index}]: {problem}"


def _listed(questions: Iterable[Question]) -> str:
    lines = [f"- {plain_text(question['question_html'])}" for question in questions]
    return ("The questions that stay:\n" + "\n".join(lines))[:OTHER_QUESTIONS_CHARS] if lines else ""
