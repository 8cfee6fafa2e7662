"""What ``workflows/`` takes: a body for each action of the built-in orchestrators."""

from __future__ import annotations

from openedx_ai_extensions.api.v1.openapi.shapes import (
    COUNT,
    TEXT,
    TEXT_OR_NULL,
    Schema,
    a_list,
    an_object,
    described,
    one_word,
    ref,
)
from openedx_ai_extensions.workflows.orchestrators.educator import (
    MAX_NAME_CHARS,
    MAX_QUESTIONS_PER_RUN,
    MAX_QUESTIONS_PER_SAVE,
)
from openedx_ai_extensions.workflows.orchestrators.flashcards import MAX_CARDS_PER_RUN, MAX_STACK_CARDS
from openedx_ai_extensions.workflows.orchestrators.threaded import MAX_CURRENT_MESSAGES

_ANY: Schema = {}
_LIBRARY = described(TEXT, "The key of a content library.", examples=["lib:OpenedX:quizzes"])
_MORE = described(TEXT_OR_NULL, "What else the model is told.")
_MESSAGES: Schema = {**COUNT, "maximum": MAX_CURRENT_MESSAGES}
_NEW_CARDS: Schema = {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_CARDS_PER_RUN}
_CARDS = an_object({"cards": a_list(an_object({"id": TEXT}), maxItems=MAX_STACK_CARDS)})

# By the name of its schema.
INPUTS: dict[str, Schema] = {
    "Words": {
        "description": "What the person says; nothing greets, or shows the last messages.",
        "anyOf": [{"type": ["string", "null"]}, an_object({"text": TEXT_OR_NULL})],
        "examples": ["Why are leaves green?", {"text": "Why are leaves green?"}],
    },
    "CardsWanted": {
        "description": "Of `FlashCardsOrchestrator`: how many; null, or nothing, leaves it to the model.",
        "anyOf": [_NEW_CARDS, an_object(optional={"num_cards": _NEW_CARDS})],
        "examples": [{"num_cards": 3}],
    },
    "QuestionsWanted": an_object(
        {"num_questions": {"type": "integer", "minimum": 1, "maximum": MAX_QUESTIONS_PER_RUN}},
        {"extra_instructions": _MORE, "library_id": described(TEXT_OR_NULL, "Saves them there at once.")},
        description="Of `EducatorAssistantOrchestrator`.",
        examples=[{"num_questions": 1, "extra_instructions": "Ask about chlorophyll."}],
    ),
    "MessagesKnown": {
        "description": "How many messages the client has; an object or a number may also come as a text of JSON.",
        "anyOf": [_MESSAGES, an_object({"current_messages": _MESSAGES}), TEXT],
        "examples": [{"current_messages": 5}],
    },
    "QuestionToRewrite": an_object(
        {"question_index": COUNT}, {"extra_instructions": _MORE}, examples=[{"question_index": 0}]
    ),
    "QuestionsToSave": an_object(
        {
            "library_id": _LIBRARY,
            "questions": a_list(
                _ANY,
                minItems=1,
                maxItems=MAX_QUESTIONS_PER_SAVE,
                description="As `Question`, what is missing left to us.",
            ),
        },
        {
            "collection_name": described(TEXT_OR_NULL, "Of a new collection.", maxLength=MAX_NAME_CHARS),
            "collection_key": described(TEXT_OR_NULL, "An existing collection.", maxLength=MAX_NAME_CHARS),
            "publish": {"type": ["boolean", "null"]},
        },
        description="Of `EducatorAssistantOrchestrator`.",
    ),
    "CardsToSave": {
        "description": "Of `FlashCardsOrchestrator`: what was learnt of cards, as `Card`.",
        "anyOf": [an_object({"card_stack": _CARDS}), _CARDS],
    },
}

_RUN_INPUT: Schema = {"anyOf": [ref("Words"), ref("CardsWanted"), ref("QuestionsWanted")]}
_NO_INPUT: Schema = described(_ANY, "Not looked at.")

# For each action what it does, its ``user_input``, and whether that must be there.
_ACTIONS: dict[str, tuple[str, Schema, bool]] = {
    "run": ("Have the workflow do what it is for.", _RUN_INPUT, False),
    "simple_button_assistance": ("`run` of `DirectLLMResponse`, by its older name.", ref("Words"), False),
    "run_async": ("`run` in the background.", _RUN_INPUT, False),
    "get_run_status": ("How the run in the background is getting on. Always 200.", _NO_INPUT, False),
    "cancel_run": ("Cancel the run in the background; answers as `get_run_status`.", _NO_INPUT, False),
    "get_current_session_response": ("What the session holds, for a widget that opens.", _NO_INPUT, False),
    "clear_session": ("Forget what the session holds.", _NO_INPUT, False),
    "lazy_load_chat_history": ("The messages before those that the client has.", ref("MessagesKnown"), True),
    "regenerate_question": ("Write another version of a question in review.", ref("QuestionToRewrite"), True),
    "save": (
        "Keep quiz questions in a library, or what was learnt of flashcards.",
        {"anyOf": [ref("QuestionsToSave"), ref("CardsToSave")]},
        True,
    ),
}

NAMES = frozenset(_ACTIONS)


def component(name: str) -> str:
    """Name of the schema of an action's body."""
    return "".join(word.capitalize() for word in name.split("_")) + "Request"


def _body(name: str) -> Schema:
    description, user_input, is_required = _ACTIONS[name]
    required = {"action": one_word(name), **({"user_input": user_input} if is_required else {})}
    optional = {
        **({} if is_required else {"user_input": user_input}),
        "request_id": {
            "description": "The client's own name for this request: the same within ten minutes is answered from "
            "memory. A text or a whole number; anything else counts as none.",
        },
    }
    return an_object(required, optional, description=description)


SCHEMAS: dict[str, Schema] = {**INPUTS, **{component(name): _body(name) for name in _ACTIONS}}

BODY: Schema = {
    "oneOf": [ref(component(name)) for name in _ACTIONS],
    "discriminator": {
        "propertyName": "action",
        "mapping": {name: ref(component(name))["$ref"] for name in _ACTIONS},
    },
}
