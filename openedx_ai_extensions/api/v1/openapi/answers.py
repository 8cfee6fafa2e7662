"""What ``workflows/`` answers: whole, as a text that arrives, or as server-sent events."""

from __future__ import annotations

from openedx_ai_extensions.api.v1.openapi.shapes import (
    COUNT,
    TEXT,
    TEXT_OR_NULL,
    YES_OR_NO,
    Schema,
    a_list,
    an_object,
    described,
    one_word,
    ref,
    words,
)
from openedx_ai_extensions.processors.llm import FinishReason, notice
from openedx_ai_extensions.processors.openedx.problem_olx import PROBLEM_TYPES

FINISH_REASON = words(
    [FinishReason.STOP, FinishReason.OTHER, *(reason for reason in FinishReason if notice(reason))],
    description="`stop` when the text is whole, `other` when only its provider knows; else what cut it off.",
)
_NUMBER: Schema = {"type": "number"}
_FAILED = a_list(an_object({"index": COUNT, "message": TEXT}), description="The questions that were not saved.")

# Of the server-sent events: the data of each, by its name.
EVENTS: dict[str, Schema] = {
    "start": an_object({"run_id": TEXT}, description="First."),
    "delta": an_object({"text": TEXT}, description="Whenever there is text."),
    "status": an_object({"message": TEXT}, description="News of the work, such as that the model thinks."),
    "tool": an_object(
        {"name": TEXT, "state": words(["started", "completed", "failed"])}, description="The model calls a tool."
    ),
    "usage": an_object(
        {"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT},
        description="Near the end, of all rounds together, if the provider told them.",
    ),
    "done": an_object(
        {"status": one_word("completed"), "finish_reason": FINISH_REASON},
        {"message": described(TEXT, "If the text was cut off: what to tell the person.")},
        description="Last, if all went well.",
    ),
    "error": an_object({"code": TEXT, "message": TEXT}, description="Last, if not."),
}

PLAIN_TEXT = described(
    TEXT,
    "The text as it arrives. One that was cut off ends with a notice in brackets, one that breaks with the marker "
    '`||{"error_in_stream": true, "code": "streaming_failed", "message": "…"}||`.',
    examples=["Leaves are green because chlorophyll takes in the other colours."],
)
# As is usual for this media type, the schema is that of each event.
EVENT_STREAM = ref("StreamEvent")


def _event(name: str, data: Schema) -> Schema:
    in_json = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return an_object({"event": one_word(name), "data": in_json})


SCHEMAS: dict[str, Schema] = {
    "StreamEvent": {
        "description": "One of the server-sent events (WHATWG). Its data is JSON. Comments keep proxies awake.",
        "oneOf": [_event(name, data) for name, data in EVENTS.items()],
        "examples": [{"event": "delta", "data": '{"text": "Leaves"}'}],
    },
    "Choice": an_object({"text": TEXT, "is_correct": YES_OR_NO, "feedback": TEXT}),
    "Question": an_object(
        {
            "display_name": TEXT,
            "question_html": TEXT,
            "problem_type": words(PROBLEM_TYPES),
            "choices": a_list(ref("Choice")),
            "answer_value": TEXT_OR_NULL,
            "tolerance": TEXT_OR_NULL,
            "explanation": TEXT,
            "demand_hints": a_list(TEXT),
        },
        {"olx": an_object({"category": TEXT, "data": TEXT}, description="There if the question can be graded.")},
    ),
    "Card": an_object(
        {
            "id": TEXT,
            "question": TEXT,
            "answer": TEXT,
            "next_review_time": _NUMBER,
            "interval": _NUMBER,
            "ease_factor": _NUMBER,
            "repetitions": _NUMBER,
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
                    {"role": words(["user", "assistant"]), "content": TEXT},
                    {
                        "timestamp": TEXT,
                        "submission_id": TEXT,
                        "status": words(
                            ["interrupted", "failed", "refused", "cut_off"], description="If something went wrong."
                        ),
                        "finish_reason": described(FINISH_REASON, "Of an answer that was cut off."),
                    },
                ),
                description="The oldest first.",
            ),
            "metadata": an_object({"has_more": YES_OR_NO}, {"current_count": COUNT, "new_count": COUNT}),
        },
        description="What a conversation shows. It comes as a text of JSON.",
    ),
    "Completed": an_object(
        {
            "response": {
                "description": "A text: of the model, of JSON as `Messages`, or the path of a collection. Cards, or "
                "questions. null where there is nothing yet.",
                "anyOf": [
                    TEXT_OR_NULL,
                    a_list(ref("Card")),
                    ref("QuestionsInReview"),
                    ref("RewrittenQuestion"),
                ],
            },
            "status": one_word("completed"),
        },
        {
            "saved": described(COUNT, "How many questions are in the collection."),
            "failed": _FAILED,
            "published": YES_OR_NO,
            "message": described(TEXT, "Why it was not published."),
            "finish_reason": described(
                FINISH_REASON, "What cut the model's text off; a notice in brackets then ends the text."
            ),
        },
        examples=[{"response": "Chlorophyll takes in the other colours.", "status": "completed"}],
    ),
    "CardStack": an_object(
        {
            "cards": {"anyOf": [a_list(ref("Card")), {"type": "null"}]},
            "status": words(["completed", "no_flashcards"]),
        },
        description="`get_current_session_response` of flashcards.",
    ),
    "CardsSaved": an_object({"status": one_word("saved"), "message": TEXT}),
    "SessionCleared": an_object({"response": one_word(""), "status": one_word("session_cleared")}),
    "Processing": an_object(
        {"status": one_word("processing"), "message": TEXT},
        {
            "task_id": described(TEXT, "Of `run_async`."),
            "progress": {"type": "number", "minimum": 0, "maximum": 1, "description": "When it is known."},
        },
    ),
    "Idle": an_object({"status": one_word("idle")}, description="Nothing was asked in the background."),
    "Failed": an_object({"status": one_word("failed"), "error": TEXT, "code": TEXT}),
    "TimedOut": an_object({"status": one_word("timeout"), "error": TEXT}),
    "Cancelled": an_object({"status": one_word("cancelled")}),
}

WHOLE: Schema = {
    "anyOf": [
        ref(name)
        for name in (
            "Completed", "CardStack", "CardsSaved", "SessionCleared", "Processing", "Idle", "Failed", "TimedOut",
            "Cancelled",
        )
    ]
}  # fmt: skip
