"""What ``workflows/`` accepts and answers. The built-in orchestrators validate the input of their actions."""

from __future__ import annotations

from collections.abc import Mapping

from openedx_ai_extensions.api.v1.openapi.json_schemas import (
    ANY,
    BOOLEAN,
    COUNT,
    MOMENT,
    NUMBER,
    TEXT,
    TEXT_OR_NULL,
    Schema,
    a_list,
    an_object,
    any_of,
    component_name,
    described,
    one_of,
    ref,
)
from openedx_ai_extensions.processors.llm import FinishReason, notice
from openedx_ai_extensions.processors.openedx.problem_olx import PROBLEM_TYPES
from openedx_ai_extensions.workflows.orchestrators.educator import (
    MAX_NAME_CHARS,
    MAX_QUESTIONS_PER_RUN,
    MAX_QUESTIONS_PER_SAVE,
)
from openedx_ai_extensions.workflows.orchestrators.flashcards_orchestrator import (
    MAX_CARDS_PER_RUN,
    MAX_STACK_CARDS,
    MAX_WORDS_CHARS,
)
from openedx_ai_extensions.workflows.orchestrators.threaded_orchestrator import MAX_CURRENT_MESSAGES

_LIBRARY = described(TEXT, "The key of a content library.", examples=["lib:OpenedX:quizzes"])
_INSTRUCTIONS = described(TEXT_OR_NULL, "Further instructions for the model.")
_MESSAGES: Schema = {**COUNT, "maximum": MAX_CURRENT_MESSAGES}
_NEW_CARDS: Schema = {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_CARDS_PER_RUN}
_STACK = an_object({"cards": a_list(an_object({"id": TEXT}), maxItems=MAX_STACK_CARDS)})

INPUTS: Mapping[str, Schema] = {
    "CardWords": an_object(
        {name: {**TEXT, "minLength": 1, "maxLength": MAX_WORDS_CHARS} for name in ("question", "answer")},
        {"id": described(TEXT_OR_NULL, "Of the card; without it, the card is new.")},
        description="Of `FlashCardsOrchestrator`.",
        examples=[{"question": "Why are leaves green?", "answer": "Chlorophyll."}],
    ),
    "CardToDelete": an_object({"id": TEXT}, description="Of `FlashCardsOrchestrator`."),
    "Words": any_of(
        {"type": ["string", "null"]},
        an_object(
            {"text": TEXT_OR_NULL},
            {
                "continues": described(BOOLEAN, "The answer continues the kept one, which was cut off."),
                "passage": described(TEXT, "Selected on the page; it is quoted below the text."),
            },
        ),
        description="What the person says; without it, a conversation greets or shows the last messages.",
        examples=["Why are leaves green?", {"text": "Why are leaves green?"}],
    ),
    "CardsWanted": any_of(
        _NEW_CARDS,
        an_object(optional={"num_cards": _NEW_CARDS}),
        description="Of `FlashCardsOrchestrator`: the number of cards; without it, the model decides.",
        examples=[{"num_cards": 3}],
    ),
    "QuestionsWanted": an_object(
        {"num_questions": {"type": "integer", "minimum": 1, "maximum": MAX_QUESTIONS_PER_RUN}},
        {"extra_instructions": _INSTRUCTIONS, "library_id": described(TEXT_OR_NULL, "Saves them there at once.")},
        description="Of `EducatorAssistantOrchestrator`.",
        examples=[{"num_questions": 1, "extra_instructions": "Ask about chlorophyll."}],
    ),
    "MessagesKnown": any_of(
        _MESSAGES,
        an_object({"current_messages": _MESSAGES}),
        TEXT,
        description="The number of messages that the client has. An object or a number may also come as JSON text.",
        examples=[{"current_messages": 5}],
    ),
    "QuestionToRewrite": an_object(
        {"question_index": COUNT}, {"extra_instructions": _INSTRUCTIONS}, examples=[{"question_index": 0}]
    ),
    "QuestionsToSave": an_object(
        {
            "library_id": _LIBRARY,
            "questions": a_list(
                ANY,
                minItems=1,
                maxItems=MAX_QUESTIONS_PER_SAVE,
                description="As `Question`; fields that a type does not need may be absent.",
            ),
        },
        {
            "collection_name": described(TEXT_OR_NULL, "Of a new collection.", maxLength=MAX_NAME_CHARS),
            "collection_key": described(TEXT_OR_NULL, "Of an existing collection.", maxLength=MAX_NAME_CHARS),
            "publish": {"type": ["boolean", "null"]},
        },
        description="Of `EducatorAssistantOrchestrator`.",
    ),
    "CardsToSave": any_of(
        an_object({"card_stack": _STACK}),
        _STACK,
        description="Of `FlashCardsOrchestrator`: the learner's progress with cards, in the form of `Card`.",
    ),
}

_RUN = any_of(ref("Words"), ref("CardsWanted"), ref("QuestionsWanted"))
_IGNORED = described(ANY, "Ignored.")

# The actions: description, ``user_input``, and whether that is required.
ACTIONS: Mapping[str, tuple[str, Schema, bool]] = {
    "run": ("Do what the workflow is for.", _RUN, False),
    "simple_button_assistance": ("`run` of `DirectLLMResponse`, by its older name.", ref("Words"), False),
    "run_async": ("`run` in the background.", _RUN, False),
    "get_run_status": ("The status of the background run. Always 200.", _IGNORED, False),
    "cancel_run": ("Cancel the background run; answers as `get_run_status`.", _IGNORED, False),
    "get_current_session_response": ("The content of the session, for a widget that opens.", _IGNORED, False),
    "clear_session": ("Delete the content of the session.", _IGNORED, False),
    "lazy_load_chat_history": ("The messages before those that the client has.", ref("MessagesKnown"), True),
    "regenerate_question": ("Write another version of a question in review.", ref("QuestionToRewrite"), True),
    "save": (
        "Save quiz questions to a library, or the progress with flashcards.",
        any_of(ref("QuestionsToSave"), ref("CardsToSave")),
        True,
    ),
    "edit_card": ("Change the words of a flashcard, or add one without an id.", ref("CardWords"), True),
    "delete_card": ("Delete a flashcard.", ref("CardToDelete"), True),
}


def _component(action: str) -> str:
    return component_name(action, "request")


def _request(action: str) -> Schema:
    description, user_input, is_required = ACTIONS[action]
    fields = {"user_input": user_input}
    request_id = described(
        ANY,
        "The client's id of this request: a repetition within ten minutes gets the stored answer. A text or a whole "
        "number; anything else is ignored.",
    )
    return an_object(
        {"action": one_of([action]), **(fields if is_required else {})},
        {**({} if is_required else fields), "request_id": request_id},
        description=description,
    )


REQUEST: Schema = {
    "oneOf": [ref(_component(action)) for action in ACTIONS],
    "discriminator": {
        "propertyName": "action",
        "mapping": {action: ref(_component(action))["$ref"] for action in ACTIONS},
    },
}

_FINISH_REASON = one_of(
    [FinishReason.STOP, FinishReason.OTHER, *(reason for reason in FinishReason if notice(reason))],
    description="`stop` if the text is complete, `other` if only the provider knows; otherwise what cut it off.",
)

_CITATION = an_object(
    {
        "number": described(COUNT, "From 1. The same place has the same number."),
        "position": described(COUNT, "In the text, in UTF-16 code units, as JavaScript counts."),
        **dict.fromkeys(("unit_id", "block_id", "title"), TEXT),
        "url": described(TEXT, "Where the learner reads the unit."),
        "quote": described(TEXT, "The beginning of the passage."),
    },
    {"second": described(COUNT, "Of a video.")},
    description="A place in the course that the text is based on.",
)
_RUN_ID = described(TEXT, "Of an answer that can be rated. A client that accepts server-sent events gets it.")

# The data of each server-sent event.
EVENTS: Mapping[str, Schema] = {
    "start": an_object({"run_id": TEXT}, description="First."),
    "delta": an_object({"text": TEXT}, description="A part of the text."),
    "status": an_object({"message": TEXT}, description="Progress, such as that the model thinks."),
    "tool": an_object(
        {"name": TEXT, "state": one_of(["started", "completed", "failed"])}, description="The model calls a tool."
    ),
    "citation": _CITATION,
    "follow_ups": an_object({"questions": a_list(TEXT)}, description="What the learner may ask next."),
    "usage": an_object(
        dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), COUNT),
        description="Near the end: the total of all rounds, if the provider reports it.",
    ),
    "done": an_object(
        {"status": one_of(["completed"]), "finish_reason": _FINISH_REASON},
        {"message": described(TEXT, "If the text was cut off: what to tell the person.")},
        description="Last, if all went well.",
    ),
    "error": an_object({"code": TEXT, "message": TEXT}, description="Last, otherwise."),
}


def _event(name: str, data: Schema) -> Schema:
    in_json = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return an_object({"event": one_of([name]), "data": in_json})


ANSWERS: Mapping[str, Schema] = {
    "Completed": an_object(
        {
            "response": any_of(
                TEXT_OR_NULL,
                a_list(ref("Card")),
                ref("QuestionsInReview"),
                ref("RewrittenQuestion"),
                description="A text: of the model, of JSON as `Messages`, or the path of a collection. Cards, or "
                "questions. null if there is nothing yet.",
            ),
            "status": one_of(["completed"]),
        },
        {
            "saved": described(COUNT, "The number of questions in the collection."),
            "failed": a_list(
                an_object({"index": COUNT, "message": TEXT}), description="Questions that were not saved."
            ),
            "published": BOOLEAN,
            "message": described(TEXT, "Why it was not published."),
            "question": described(TEXT, "Of a kept answer."),
            "answered_at": MOMENT,
            "citations": a_list(_CITATION),
            "follow_ups": a_list(TEXT),
            "run_id": _RUN_ID,
            "feedback": ref("OwnFeedback"),
            "finish_reason": described(
                _FINISH_REASON, "What cut the model's text off; a notice in brackets then ends the text."
            ),
        },
        examples=[{"response": "Chlorophyll takes in the other colours.", "status": "completed"}],
    ),
    "CardStack": an_object(
        {
            "cards": any_of(a_list(ref("Card")), {"type": "null"}),
            "status": one_of(["completed", "no_flashcards"]),
        },
        description="`get_current_session_response` of flashcards.",
    ),
    "CardEdited": an_object({"status": one_of(["saved"]), "card": ref("Card")}, description="`edit_card`."),
    "CardDeleted": an_object({"status": one_of(["saved"])}, description="`delete_card`."),
    "CardsSaved": an_object({"status": one_of(["saved"]), "message": TEXT}),
    "SessionCleared": an_object({"response": one_of([""]), "status": one_of(["session_cleared"])}),
    "Processing": an_object(
        {"status": one_of(["processing"]), "message": TEXT},
        {
            "task_id": described(TEXT, "Of `run_async`."),
            "progress": {"type": "number", "minimum": 0, "maximum": 1, "description": "If it is known."},
        },
    ),
    "Idle": an_object({"status": one_of(["idle"])}, description="There was no background run."),
    "Failed": an_object({"status": one_of(["failed"]), "error": TEXT, "code": TEXT}),
    "TimedOut": an_object({"status": one_of(["timeout"]), "error": TEXT}),
    "Cancelled": an_object({"status": one_of(["cancelled"])}),
}

PARTS: Mapping[str, Schema] = {
    "StreamEvent": {
        "description": "One of the server-sent events (WHATWG). Its data is JSON. Comments keep proxies awake.",
        "oneOf": [_event(name, data) for name, data in EVENTS.items()],
        "examples": [{"event": "delta", "data": '{"text": "Leaves"}'}],
    },
    "Choice": an_object({"text": TEXT, "is_correct": BOOLEAN, "feedback": TEXT}),
    "Question": an_object(
        {
            **dict.fromkeys(("display_name", "question_html", "explanation"), TEXT),
            **dict.fromkeys(("answer_value", "tolerance"), TEXT_OR_NULL),
            "problem_type": one_of(PROBLEM_TYPES),
            "choices": a_list(ref("Choice")),
            "demand_hints": a_list(TEXT),
        },
        {"olx": an_object({"category": TEXT, "data": TEXT}, description="There if the question can be graded.")},
    ),
    "Card": an_object(
        {
            **dict.fromkeys(("id", "question", "answer"), TEXT),
            **dict.fromkeys(("next_review_time", "interval", "ease_factor", "repetitions"), NUMBER),
            "last_reviewed_at": described(
                {"type": ["number", "string", "null"]}, "Since 1970, in seconds or milliseconds; or ISO 8601."
            ),
        }
    ),
    "QuestionsInReview": an_object(
        {
            "question_slots": a_list(an_object({"versions": a_list(ref("Question")), "selected": COUNT})),
            "collection_name": TEXT,
        }
    ),
    "RewrittenQuestion": an_object(
        {"question": ref("Question"), "history": a_list(ref("Question")), "selected": COUNT}
    ),
    "Messages": an_object(
        {
            "messages": a_list(
                an_object(
                    {"role": one_of(["user", "assistant"]), "content": TEXT},
                    {
                        **dict.fromkeys(("timestamp", "submission_id"), TEXT),
                        "status": one_of(
                            ["interrupted", "failed", "refused", "cut_off"], description="If something went wrong."
                        ),
                        "finish_reason": described(_FINISH_REASON, "Of an answer that was cut off."),
                        "citations": a_list(_CITATION),
                        "follow_ups": a_list(TEXT),
                        "run_id": _RUN_ID,
                        "feedback": ref("OwnFeedback"),
                    },
                ),
                description="The oldest first.",
            ),
            "metadata": an_object({"has_more": BOOLEAN}, {"current_count": COUNT, "new_count": COUNT}),
        },
        description="What a conversation shows. It comes as a text of JSON.",
    ),
}

# By media type. As is usual for server-sent events, their schema is that of one event.
RESPONSES: Mapping[str, Schema] = {
    "application/json": any_of(*map(ref, ANSWERS)),
    "text/plain": described(
        TEXT,
        "The text as it arrives. A text that was cut off ends with a notice in brackets, an interrupted one with "
        'the marker `||{"error_in_stream": true, "code": "streaming_failed", "message": "…"}||`.',
        examples=["Leaves are green because chlorophyll takes in the other colours."],
    ),
    "text/event-stream": ref("StreamEvent"),
}
SCHEMAS: Mapping[str, Schema] = {
    **{_component(action): _request(action) for action in ACTIONS},
    **INPUTS,
    **ANSWERS,
    **PARTS,
}
