"""Bytes as providers send them: the pieces from which the rows of ``quirks`` are built."""

from __future__ import annotations

import json
from typing import Any

USAGE = {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}
DONE = b"data: [DONE]\n\n"


def event(value: Any, name: str = "") -> bytes:
    """One server-sent event."""
    data = value if isinstance(value, str) else json.dumps(value)
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def chunk(delta: Any = None, finish: str | None = None, **fields: Any) -> bytes:
    """A chunk of OpenAI's chat completions; fields go over the usual ones."""
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    usual = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]}
    return event({**usual, **fields})


def text(content: Any, finish: str | None = None, **more: Any) -> bytes:
    return chunk({"content": content, **more}, finish)


def usage(counts: Any = USAGE) -> bytes:
    return chunk(choices=[], usage=counts)


def message(content: Any = "", finish: str | None = "stop", counts: Any = USAGE, **more: Any) -> dict[str, Any]:
    """A whole chat completion."""
    said = {"role": "assistant", "content": content, **more}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": counts,
    }


def anthropic(*blocks: tuple[dict[str, Any], tuple[dict[str, Any], ...]], stop: str = "end_turn") -> tuple[bytes, ...]:
    """A stream of Anthropic's Messages API: each block with its deltas."""
    events: list[tuple[str, dict[str, Any]]] = [
        (
            "message_start",
            {
                "message": {
                    "id": "m",
                    "type": "message",
                    "role": "assistant",
                    "content": [],
                    "model": "claude-fake",
                    "stop_reason": None,
                    "stop_sequence": None,
                    "usage": {"input_tokens": 12, "output_tokens": 1},
                }
            },
        ),
    ]
    for index, (block, deltas) in enumerate(blocks):
        events.append(("content_block_start", {"index": index, "content_block": block}))
        events += [("content_block_delta", {"index": index, "delta": delta}) for delta in deltas]
        events.append(("content_block_stop", {"index": index}))
    events.append(
        ("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 4}})
    )
    events.append(("message_stop", {}))
    return tuple(event({"type": name, **data}, name) for name, data in events)


def anthropic_text(*pieces: str) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    return {"type": "text", "text": ""}, tuple({"type": "text_delta", "text": piece} for piece in pieces)


def anthropic_whole(*content: dict[str, Any], stop: str = "end_turn") -> dict[str, Any]:
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude-fake",
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 4},
    }


GEMINI_COUNTS = {"promptTokenCount": 12, "candidatesTokenCount": 4, "totalTokenCount": 16}


def gemini(*parts: Any, finish: str | None = "STOP", **more: Any) -> dict[str, Any]:
    """One answer, or chunk, of Gemini's generateContent."""
    candidate: dict[str, Any] = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": list(parts)}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini-fake", "usageMetadata": GEMINI_COUNTS, **more}


def responses_events(*deltas: str, response: dict[str, Any]) -> tuple[bytes, ...]:
    """A stream of OpenAI's Responses API that ends with this response."""
    first = {**response, "status": "in_progress", "output": []}
    events = [("response.created", {"response": first})]
    events += [
        ("response.output_text.delta", {"item_id": "i", "output_index": 0, "content_index": 0, "delta": delta})
        for delta in deltas
    ]
    kind = {"incomplete": "response.incomplete", "failed": "response.failed"}.get(
        response["status"], "response.completed"
    )
    events.append((kind, {"response": response}))
    return tuple(event({"type": name, "sequence_number": n, **data}, name) for n, (name, data) in enumerate(events))


def response(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    counts = {"input_tokens": 12, "output_tokens": 4, "total_tokens": 16}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "fake",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "previous_response_id": None,
        "usage": counts | details,
        **more,
    }


def output(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "i", "role": "assistant", "status": "completed", "content": list(parts)}


def output_text(said: str) -> dict[str, Any]:
    return {"type": "output_text", "text": said, "annotations": []}


def ollama_lines(*values: Any) -> tuple[bytes, ...]:
    """Newline-delimited JSON, as Ollama streams."""
    return tuple(json.dumps(value).encode() + b"\n" for value in values)


def ollama(content: str = "", *, done: bool = False, reason: str = "stop", **more: Any) -> dict[str, Any]:
    said = {"model": "fake", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": content}}
    said["message"] |= more
    if done:
        said |= {"done_reason": reason, "prompt_eval_count": 12, "eval_count": 4}
    return {**said, "done": done}
