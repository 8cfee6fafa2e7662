"""What providers send that their documentation does not show, and what must become of it: one table.

Each row was reported by users of software that talks to these providers, or is what LiteLLM's own code expects of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.steps import Ending, Wire
from tests.providers.shapes import (
    DONE,
    GEMINI_COUNTS,
    USAGE,
    anthropic,
    anthropic_text,
    anthropic_whole,
    chunk,
    event,
    gemini,
    message,
    ollama,
    ollama_lines,
    output,
    output_text,
    response,
    responses_events,
    text,
    usage,
)

TEXT = "Because of light."


@dataclass(frozen=True, slots=True)
class Quirk:
    """One answer of a provider, and what must become of it.

    Attributes:
        id: says what is odd.
        stream: the body of a streamed answer, in pieces; None when only whole answers have this quirk.
        whole: of an answer that is not streamed; None when only streams have it.
        says: the text that a learner sees.
        finish: how the answer ended.
        error: the code of the error that a learner gets in place of an answer.
        status: its HTTP status.
        breaks: the answer breaks off after its text.
        tokens: prompt and completion, as the ledger has them; None when they are estimated.
        calls: how often the provider is asked.
        is_fault: the circuit counts it against the provider.
        model: LiteLLM's name of the model.
        entry: more of the provider's entry.
        ending: what follows the last byte of the stream.
        content_type: of the stream.
    """

    id: str
    stream: Sequence[bytes] | None
    whole: Any
    says: str = TEXT
    finish: str = "stop"
    error: str = ""
    status: int = 200
    breaks: bool = False
    tokens: tuple[int, int] | None = (12, 4)
    calls: int = 1
    is_fault: bool = False
    model: str = "openai/gpt-fake"
    entry: Mapping[str, Any] = field(default_factory=dict)
    ending: Ending = Ending.PROPER
    content_type: str = "text/event-stream"

    @property
    def wire(self) -> Wire:
        return Wire(self.stream or (), self.whole, self.ending, self.content_type)


SAID = (text("Because "), text("of light."))
USUAL = (*SAID, chunk(finish="stop"), usage(), DONE)
TOO_LONG = {"error": "answer_too_long", "status": 500, "says": ""}
DECLINED = {"error": "answer_declined", "status": 422, "says": ""}
SILENT = {"error": "service_unavailable", "status": 503, "says": "", "calls": 2}
BROKEN = {"error": "service_unavailable", "status": 503, "says": "", "tokens": (0, 0), "is_fault": True}
ANTHROPIC = {"model": "anthropic/claude-fake"}
GEMINI = {"model": "gemini/gemini-fake"}
RESPONSES = {"entry": {"CAPABILITIES": {"keeps_threads": True}}}
AZURE = {
    "model": "azure/my-deployment",
    "entry": {"API_VERSION": "2024-10-21", "CAPABILITIES": {"keeps_threads": False}},
}
OLLAMA = {"model": "ollama_chat/fake", "content_type": "application/x-ndjson"}
FILTER_RESULTS = {"hate": {"filtered": False, "severity": "safe"}}

QUIRKS = [
    Quirk("the usual", USUAL, message(TEXT)),
    # Errors after text, each followed by an orderly end.
    *(
        Quirk(
            f"{who}'s error in the middle",
            (SAID[0], error, DONE),
            None,
            says="Because ",
            breaks=True,
            tokens=None,
            is_fault=True,
        )
        for who, error in {
            "an older vLLM": event({"object": "error", "message": "no", "type": "InternalServerError", "code": 500}),
            "llama.cpp": b'error: {"code": 500, "message": "no"}\n\n',
            "Gemini": event([{"error": {"code": 503, "message": "no"}}]),
            "Groq": chunk(x_groq={"error": "over_capacity"}),
        }.items()
    ),
    Quirk(
        "DashScope's null as a text, then nothing",
        (text("Because ", "null"), text("of light.", "null")),
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
    ),
    Quirk(
        "a filter with its reason behind a colon",
        (*SAID, chunk(finish="content_filter: RECITATION"), usage(), DONE),
        None,
        finish="content_filter",
    ),
    Quirk("events that are said to be JSON", USUAL, None, content_type="application/json"),
    Quirk(
        "the whole text again beside an empty delta",
        (
            *SAID,
            chunk(choices=[{"index": 0, "delta": {}, "message": {"content": TEXT}, "finish_reason": "stop"}]),
            usage(),
            DONE,
        ),
        None,
    ),
    # How an answer ended.
    Quirk(
        "the limit is used up by thinking that nobody sees",
        (text(""), chunk(finish="length"), usage(), DONE),
        message("", "length"),
        finish="length",
        **TOO_LONG,
    ),
    Quirk(
        "nothing but reasoning_content, then stop",
        (
            chunk({"reasoning_content": "Hm. "}),
            chunk({"reasoning_content": "Well."}),
            chunk(finish="stop"),
            usage(),
            DONE,
        ),
        message(None, reasoning_content="Hm. Well."),
        finish="length",
        **TOO_LONG,
    ),
    Quirk(
        "OpenAI's refusal field",
        (
            chunk({"role": "assistant", "content": "", "refusal": None}),
            chunk({"refusal": "I can't "}),
            chunk({"refusal": "help."}),
            chunk(finish="stop"),
            usage(),
            DONE,
        ),
        message(None, refusal="I can't help."),
        finish="refusal",
        **DECLINED,
    ),
    Quirk(
        "the content filter lets nothing through",
        (chunk(finish="content_filter"), usage(), DONE),
        message(None, "content_filter"),
        finish="content_filter",
        **DECLINED,
    ),
    Quirk(
        "cut off by length", (*SAID, chunk(finish="length"), usage(), DONE), message(TEXT, "length"), finish="length"
    ),
    Quirk(
        "cut off by max_tokens, a word of others",
        (*SAID, chunk(finish="max_tokens"), usage(), DONE),
        message(TEXT, "max_tokens"),
        finish="length",
    ),
    Quirk(
        "cut off by the content filter",
        (*SAID, chunk(finish="content_filter"), usage(), DONE),
        message(TEXT, "content_filter"),
        finish="content_filter",
    ),
    Quirk(
        "nothing at all, twice",
        (chunk({"role": "assistant"}), chunk(finish="stop"), usage(), DONE),
        message(""),
        finish="empty",
        tokens=(24, 8),
        **SILENT,
    ),
    Quirk(
        "white space only, twice",
        (text(" \n"), chunk(finish="stop"), usage(), DONE),
        message(" \n"),
        finish="empty",
        tokens=(24, 8),
        **SILENT,
    ),
    Quirk("OpenRouter: an error as the finish reason", (chunk({"content": ""}, "error"), DONE), None, **BROKEN),
    Quirk(
        "OpenRouter: an error as the finish reason, after text",
        (*SAID, chunk({"content": ""}, "error"), DONE),
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
    ),
    # Chunks that lack something.
    Quirk(
        "Azure: the first chunk has no choices but filter results",
        (
            chunk(choices=[], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": FILTER_RESULTS}]),
            *USUAL,
        ),
        message(TEXT, prompt_filter_results=[]),
        **AZURE,
    ),
    Quirk(
        "Azure: filter results without a delta, in the middle and at the end",
        (
            SAID[0],
            chunk(choices=[{"index": 0, "finish_reason": None, "content_filter_results": FILTER_RESULTS}]),
            SAID[1],
            chunk(finish="stop"),
            chunk(choices=[{"index": 0, "finish_reason": None, "content_filter_offsets": {}}]),
            usage(),
            DONE,
        ),
        None,
        **AZURE,
    ),
    Quirk(
        "delta: null", (SAID[0], chunk(choices=[{"index": 0, "delta": None, "finish_reason": None}]), *USUAL[1:]), None
    ),
    Quirk("choices: null", (SAID[0], chunk(choices=None), *USUAL[1:]), None),
    Quirk("choices: []", (SAID[0], chunk(choices=[]), *USUAL[1:]), None),
    Quirk("choices: missing", (SAID[0], event({"id": "c", "model": "fake"}), *USUAL[1:]), None),
    Quirk("content: null in between", (SAID[0], text(None), *USUAL[1:]), None),
    Quirk("an object without meaning", (SAID[0], event({"type": "ping"}), *USUAL[1:]), None),
    Quirk("null as an event", (SAID[0], event("null"), *USUAL[1:]), None),
    Quirk(
        "no index of the choice",
        tuple(
            chunk(choices=[{"delta": {"content": said}, "finish_reason": None}]) for said in ("Because ", "of light.")
        )
        + USUAL[2:],
        None,
    ),
    Quirk(
        "several answers at once: the first counts",
        (SAID[0], chunk(choices=[{"index": 1, "delta": {"content": "Other."}, "finish_reason": None}]), *USUAL[1:]),
        None,
    ),
    Quirk(
        "a message in place of the delta",
        (
            chunk(choices=[{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}]),
            usage(),
            DONE,
        ),
        None,
    ),
    # Ends of a stream.
    Quirk("no [DONE]", USUAL[:-1], None),
    Quirk("no [DONE], and the connection stays open", USUAL[:-1], None, ending=Ending.LEFT_OPEN),
    Quirk(
        "no [DONE] and no usage, and the connection stays open", USUAL[:3], None, tokens=None, ending=Ending.LEFT_OPEN
    ),
    Quirk("no [DONE], and the connection breaks", USUAL[:-1], None, ending=Ending.CUT),
    Quirk("[DONE] without a finish reason", (*SAID, DONE), None, tokens=None),
    Quirk("[DONE], and the connection stays open", USUAL, None, ending=Ending.LEFT_OPEN),
    Quirk(
        "[DONE] with a space behind it, and more after it",
        (*SAID, chunk(finish="stop"), usage(), b"data: [DONE] \n\n", text("More.")),
        None,
    ),
    Quirk("the reason in the last chunk with text", (SAID[0], text("of light.", "stop"), usage(), DONE), None),
    Quirk("one chunk with all", (text(TEXT, "stop"), usage(), DONE), None),
    Quirk(
        "the reason with each chunk, as Gemini did",
        (text("Because ", "stop"), text("of light.", "stop"), usage(), DONE),
        None,
    ),
    Quirk("stops in the middle", SAID, None, breaks=True, tokens=None, is_fault=True),
    Quirk("breaks in the middle", SAID, None, breaks=True, tokens=None, is_fault=True, ending=Ending.CUT),
    Quirk("ends before it began", (), b"", **BROKEN),
    # Events as bytes.
    Quirk("no space after the colon", tuple(piece.replace(b"data: ", b"data:") for piece in USUAL), None),
    Quirk("carriage returns", tuple(piece.replace(b"\n", b"\r\n") for piece in USUAL), None),
    Quirk(
        "comments and ids, as OpenRouter sends them",
        (b": OPENROUTER PROCESSING\n\n", SAID[0], b": OPENROUTER PROCESSING\n\nid: 7\nretry: 10\n", *USUAL[1:]),
        None,
    ),
    Quirk("a byte order mark", (b"\xef\xbb\xbf", *USUAL), None),
    Quirk("no blank line after the last event", (*USUAL[:-1], b"data: [DONE]"), None),
    Quirk("one byte at a time", tuple(bytes([byte]) for byte in b"".join(USUAL)), None),
    Quirk("all at once", (b"".join(USUAL),), None),
    Quirk(
        "a pair of surrogates in two chunks",
        (
            event('{"choices": [{"index": 0, "delta": {"content": "Sun \\ud83d"}}]}'),
            event('{"choices": [{"index": 0, "delta": {"content": "\\ude00!"}}]}'),
            *USUAL[2:],
        ),
        None,
        says="Sun 😀!",
    ),
    Quirk(
        "half a pair of surrogates",
        (event('{"choices": [{"index": 0, "delta": {"content": "Sun \\ud83d"}}]}'), text("!"), *USUAL[2:]),
        json.dumps(message("Sun \ud83d!")).encode(),
        says="Sun \ufffd!",
    ),
    Quirk(
        "bytes that are not UTF-8",
        (b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n', *USUAL[2:]),
        b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
        **BROKEN,
    ),
    Quirk(
        "HTML in a stream",
        (b"<html><body>Bad gateway</body></html>",),
        b"<html><body>Bad gateway</body></html>",
        content_type="text/html",
        **BROKEN,
    ),
    Quirk("HTML as an event", (b"data: <html>Bad gateway</html>\n\n",), None, **BROKEN),
    Quirk("JSON in place of a stream", (json.dumps(message(TEXT)).encode(),), None, content_type="application/json"),
    Quirk(
        "an error in a stream",
        (event({"error": {"message": "Overloaded", "type": "server_error", "code": 503}}),),
        None,
        **BROKEN,
    ),
    Quirk(
        "an error in a stream: the limit",
        (event({"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}),),
        None,
        error="rate_limit_exceeded",
        status=429,
        says="",
        tokens=(0, 0),
    ),
    Quirk(
        "an error in a stream: too long",
        (event({"error": {"message": "This model's maximum context length is 8 tokens", "code": 400}}),),
        None,
        error="context_window_exceeded",
        status=400,
        says="",
        tokens=(0, 0),
    ),
    Quirk(
        "an error in a stream, after text",
        (*SAID, event({"error": {"message": "Overloaded", "code": 502}})),
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
    ),
    Quirk("an error with the status 200", None, {"error": {"message": "Overloaded", "code": 502}}, **BROKEN),
    Quirk(
        "no choices in a whole answer, twice",
        None,
        {"id": "c", "choices": [], "usage": USAGE},
        finish="empty",
        tokens=(24, 8),
        **SILENT,
    ),
    Quirk("an empty error object beside the answer", None, {**message(TEXT), "error": {}}),
    # Counts.
    Quirk(
        "counts of zero",
        (*USUAL[:3], usage({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}), DONE),
        message(TEXT, counts={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
        tokens=None,
    ),
    Quirk("no counts", (*USUAL[:3], DONE), message(TEXT, counts=None), tokens=None),
    Quirk(
        "counts beyond reason",
        (*USUAL[:3], usage({"prompt_tokens": 2**64 - 1, "completion_tokens": -5}), DONE),
        None,
        tokens=None,
    ),
    Quirk("counts as decimals", (*USUAL[:3], usage({"prompt_tokens": 12.0, "completion_tokens": 4.0}), DONE), None),
    Quirk(
        "counts with each chunk, as vLLM can",
        (
            text("Because ", usage=None),
            chunk({"content": "of light."}, usage={"prompt_tokens": 12, "completion_tokens": 3}),
            chunk(finish="stop", usage=USAGE),
            DONE,
        ),
        None,
    ),
    # Thinking.
    Quirk(
        "<think> in the text",
        (text("<think>So"), text(" hm.</think>"), *USUAL),
        message(f"<think>So hm.</think>{TEXT}"),
    ),
    Quirk(
        "<think> cut anywhere",
        tuple(text(piece) for piece in ("<thi", "nk>a", "b</th", "ink>", "\n\nBecause of ", "light.")) + USUAL[2:],
        message(f"<think>ab</think>\n\n{TEXT}"),
    ),
    Quirk(
        "<think> that is never closed",
        (text("<think>So hm. "), chunk(finish="length"), usage(), DONE),
        message("<think>So hm. ", "length"),
        finish="length",
        **TOO_LONG,
    ),
    Quirk(
        "only </think>, as the template began it",
        (text("So hm.\n</think>\n\n"), *USUAL),
        message(f"So hm.\n</think>\n\n{TEXT}"),
        entry={"CAPABILITIES": {"starts_thinking": True}},
    ),
    Quirk(
        "a text about <think>",
        (text("The tag <think> begins "), text("thoughts."), *USUAL[2:]),
        message("The tag <think> begins thoughts."),
        says="The tag <think> begins thoughts.",
    ),
    Quirk(
        "DeepSeek, vLLM: reasoning_content",
        (chunk({"reasoning_content": "Hm."}), *USUAL),
        message(TEXT, reasoning_content="Hm."),
    ),
    Quirk("Groq, OpenRouter: reasoning", (chunk({"reasoning": "Hm."}), *USUAL), message(TEXT, reasoning="Hm.")),
    Quirk(
        "Mistral: content as parts",
        (
            text([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]),
            text([{"type": "text", "text": "Because "}]),
            *USUAL[1:],
        ),
        None,
    ),
    Quirk(
        "text that looks like a special token of a model",
        (text("<s>Because</s> "), *USUAL[1:]),
        None,
        says="<s>Because</s> of light.",
    ),
    Quirk("a text that repeats itself", (*(text("-") for _number in range(150)), *USUAL[2:]), None, says="-" * 150),
    # OpenAI's Responses API.
    Quirk(
        "Responses: the usual",
        responses_events("Because ", "of light.", response=response(output(output_text(TEXT)))),
        response(output(output_text(TEXT))),
        **RESPONSES,
    ),
    Quirk(
        "Responses: incomplete by length",
        responses_events(
            "Because ",
            "of light.",
            response=response(
                output(output_text(TEXT)), status="incomplete", incomplete_details={"reason": "max_output_tokens"}
            ),
        ),
        response(output(output_text(TEXT)), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        finish="length",
        **RESPONSES,
    ),
    Quirk(
        "Responses: nothing but thinking",
        responses_events(
            response=response(
                {"type": "reasoning", "id": "r", "summary": []},
                status="incomplete",
                incomplete_details={"reason": "max_output_tokens"},
            )
        ),
        response(
            {"type": "reasoning", "id": "r", "summary": []},
            status="incomplete",
            incomplete_details={"reason": "max_output_tokens"},
        ),
        finish="length",
        **TOO_LONG,
        **RESPONSES,
    ),
    Quirk(
        "Responses: a refusal",
        responses_events(response=response(output({"type": "refusal", "refusal": "I can't help."}))),
        response(output({"type": "refusal", "refusal": "I can't help."})),
        finish="refusal",
        **DECLINED,
        **RESPONSES,
    ),
    Quirk(
        "Responses: the content filter",
        responses_events(
            "Because ",
            "of light.",
            response=response(
                output(output_text(TEXT)), status="incomplete", incomplete_details={"reason": "content_filter"}
            ),
        ),
        response(output(output_text(TEXT)), status="incomplete", incomplete_details={"reason": "content_filter"}),
        finish="content_filter",
        **RESPONSES,
    ),
    Quirk(
        "Responses: it failed",
        responses_events(
            response=response(status="failed", error={"code": "server_error", "message": "Oh."}, usage=None)
        ),
        response(status="failed", error={"code": "server_error", "message": "Oh."}, usage=None),
        **BROKEN,
        **RESPONSES,
    ),
    # Anthropic.
    Quirk(
        "Anthropic: the usual",
        anthropic(anthropic_text("Because ", "of light.")),
        anthropic_whole({"type": "text", "text": TEXT}),
        **ANTHROPIC,
    ),
    Quirk(
        "Anthropic: a refusal without text",
        anthropic(stop="refusal"),
        anthropic_whole(stop="refusal"),
        finish="refusal",
        **DECLINED,
        **ANTHROPIC,
    ),
    Quirk(
        "Anthropic: a refusal in the middle",
        anthropic(anthropic_text("Because ", "of light."), stop="refusal"),
        anthropic_whole({"type": "text", "text": TEXT}, stop="refusal"),
        finish="refusal",
        **ANTHROPIC,
    ),
    Quirk(
        "Anthropic: max_tokens",
        anthropic(anthropic_text("Because ", "of light."), stop="max_tokens"),
        anthropic_whole({"type": "text", "text": TEXT}, stop="max_tokens"),
        finish="length",
        **ANTHROPIC,
    ),
    Quirk(
        "Anthropic: thinking only",
        anthropic(
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                ({"type": "thinking_delta", "thinking": "Hm."}, {"type": "signature_delta", "signature": "s"}),
            ),
            stop="max_tokens",
        ),
        anthropic_whole({"type": "thinking", "thinking": "Hm.", "signature": "s"}, stop="max_tokens"),
        finish="length",
        **TOO_LONG,
        **ANTHROPIC,
    ),
    Quirk(
        "Anthropic: thinking, then text",
        anthropic(
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                ({"type": "thinking_delta", "thinking": "Hm."}, {"type": "signature_delta", "signature": "s"}),
            ),
            anthropic_text("Because ", "of light."),
        ),
        anthropic_whole({"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": TEXT}),
        **ANTHROPIC,
    ),
    Quirk(
        "Anthropic: overloaded in the middle",
        (
            *anthropic(anthropic_text("Because ", "of light."))[:4],
            event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error"),
        ),
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
        **ANTHROPIC,
    ),
    Quirk(
        "Anthropic: stops in the middle",
        anthropic(anthropic_text("Because ", "of light."))[:4],
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
        **ANTHROPIC,
    ),
    # Gemini.
    Quirk(
        "Gemini: the usual",
        tuple(event(part) for part in (gemini({"text": "Because "}, finish=None), gemini({"text": "of light."}))),
        gemini({"text": TEXT}),
        **GEMINI,
    ),
    Quirk(
        "Gemini: the reason with each chunk",
        tuple(event(part) for part in (gemini({"text": "Because "}), gemini({"text": "of light."}))),
        None,
        **GEMINI,
    ),
    Quirk(
        "Gemini: a safety block",
        (event(gemini(finish="SAFETY")),),
        gemini(finish="SAFETY"),
        finish="content_filter",
        **DECLINED,
        **GEMINI,
    ),
    Quirk(
        "Gemini: the prompt is blocked",
        (event({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": GEMINI_COUNTS}),),
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": GEMINI_COUNTS},
        finish="content_filter",
        **DECLINED,
        **GEMINI,
    ),
    Quirk(
        "Gemini: MAX_TOKENS without a word",
        (event(gemini(finish="MAX_TOKENS")),),
        gemini(finish="MAX_TOKENS"),
        finish="length",
        **TOO_LONG,
        **GEMINI,
    ),
    Quirk(
        "Gemini: MAX_TOKENS",
        (event(gemini({"text": TEXT}, finish="MAX_TOKENS")),),
        gemini({"text": TEXT}, finish="MAX_TOKENS"),
        finish="length",
        **GEMINI,
    ),
    # Others through LiteLLM.
    Quirk(
        "Ollama: the usual",
        ollama_lines(ollama("Because "), ollama("of light."), ollama(done=True)),
        ollama(TEXT, done=True),
        **OLLAMA,
    ),
    Quirk(
        "Ollama: cut off by length",
        ollama_lines(ollama("Because "), ollama("of light."), ollama(done=True, reason="length")),
        ollama(TEXT, done=True, reason="length"),
        finish="length",
        **OLLAMA,
    ),
    Quirk(
        "Ollama: thinking",
        ollama_lines(ollama(thinking="Hm."), ollama("Because "), ollama("of light."), ollama(done=True)),
        ollama(TEXT, done=True, thinking="Hm."),
        **OLLAMA,
    ),
    Quirk(
        "DeepSeek: insufficient_system_resource",
        (*SAID, chunk(finish="insufficient_system_resource"), usage(), DONE),
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
    ),
    Quirk(
        "DeepSeek through LiteLLM",
        (chunk({"reasoning_content": "Hm."}), *USUAL),
        message(TEXT, reasoning_content="Hm."),
        model="deepseek/deepseek-reasoner",
    ),
    Quirk(
        "Mistral through LiteLLM",
        (
            text([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]),
            *USUAL[:2],
            text("", "stop", usage=None).replace(b'"choices"', b'"usage": %s, "choices"' % json.dumps(USAGE).encode()),
            DONE,
        ),
        message(TEXT),
        model="mistral/magistral-fake",
    ),
    Quirk(
        "Groq through LiteLLM: usage in x_groq",
        (chunk({"reasoning": "Hm."}), *SAID, chunk(finish="stop", x_groq={"id": "r", "usage": USAGE}), DONE),
        None,
        model="groq/fake",
        tokens=None,
    ),
    Quirk("Groq: usage in x_groq", (*SAID, chunk(finish="stop", x_groq={"id": "r", "usage": USAGE}), DONE), None),
    Quirk(
        "Groq through LiteLLM: a whole answer",
        None,
        message(TEXT, reasoning="Hm.") | {"service_tier": "on_demand"},
        model="groq/fake",
    ),
    Quirk(
        "OpenRouter through LiteLLM",
        (b": OPENROUTER PROCESSING\n\n", chunk({"reasoning": "Hm."}), *USUAL),
        message(TEXT, reasoning="Hm."),
        model="openrouter/some/fake",
    ),
    Quirk(
        "vLLM through LiteLLM: a special token is text",
        (text("<s>Because</s> "), *USUAL[1:]),
        None,
        says="<s>Because</s> of light.",
        model="hosted_vllm/fake",
    ),
    Quirk(
        "vLLM through LiteLLM: a text that repeats itself",
        (*(text("-") for _number in range(150)), *USUAL[2:]),
        None,
        says="-" * 150,
        model="hosted_vllm/fake",
    ),
    Quirk(
        "vLLM through LiteLLM: stops in the middle",
        SAID,
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
        model="hosted_vllm/fake",
    ),
    Quirk("LM Studio through LiteLLM", USUAL, message(TEXT), model="lm_studio/fake"),
    Quirk(
        "llama.cpp: timings, and the reason in a chunk of its own",
        (*SAID, chunk({}, "stop", timings={"predicted_n": 4}, usage=USAGE), DONE),
        message(TEXT),
    ),
    Quirk(
        "TGI: no role, a null usage with each chunk",
        (text("Because ", usage=None), text("of light.", usage=None), chunk(finish="eos_token"), usage(), DONE),
        message(TEXT, "eos_token"),
    ),
    # Ends that LiteLLM, or a server, tells in words of their own.
    *(
        Quirk(
            f"Anthropic: {word}",
            anthropic(anthropic_text("Because ", "of light."), stop=word),
            anthropic_whole({"type": "text", "text": TEXT}, stop=word),
            finish=finish,
            **ANTHROPIC,
        )
        for word, finish in {
            "model_context_window_exceeded": "length",
            "pause_turn": "length",
            "stop_sequence": "stop",
            "a_new_word": "other",
        }.items()
    ),
    Quirk(
        "Anthropic: the connection stays open",
        anthropic(anthropic_text("Because ", "of light.")),
        None,
        ending=Ending.LEFT_OPEN,
        **ANTHROPIC,
    ),
    *(
        Quirk(
            f"Gemini: {word} after text",
            (event(gemini({"text": "Because "}, finish=None)), event(gemini({"text": "of light."}, finish=word))),
            gemini({"text": TEXT}, finish=word),
            finish=finish,
            **GEMINI,
        )
        for word, finish in {
            "MALFORMED_FUNCTION_CALL": "malformed_call",
            "UNEXPECTED_TOOL_CALL": "malformed_call",
            "MALFORMED_RESPONSE": "malformed_call",
            "TOO_MANY_TOOL_CALLS": "malformed_call",
            "MODEL_ARMOR": "content_filter",
            "OTHER": "content_filter",
            "FINISH_REASON_UNSPECIFIED": "other",
        }.items()
    ),
    *(
        Quirk(
            f"Gemini: {word} without a word, twice",
            (event(gemini(finish=word)),),
            gemini(finish=word),
            finish="malformed_call",
            tokens=(24, 8),
            **SILENT,
            **GEMINI,
        )
        for word in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE", "TOO_MANY_TOOL_CALLS")
    ),
    Quirk(
        "Gemini: MODEL_ARMOR without a word",
        (event(gemini(finish="MODEL_ARMOR")),),
        gemini(finish="MODEL_ARMOR"),
        finish="content_filter",
        **DECLINED,
        **GEMINI,
    ),
    Quirk(
        "Gemini: the stream ends without a reason",
        tuple(event(gemini({"text": piece}, finish=None)) for piece in ("Because ", "of light.")),
        None,
        breaks=True,
        tokens=None,
        is_fault=True,
        **GEMINI,
    ),
    Quirk(
        "Gemini: the connection stays open",
        (event(gemini({"text": "Because "}, finish=None)), event(gemini({"text": "of light."}))),
        None,
        ending=Ending.LEFT_OPEN,
        **GEMINI,
    ),
    *(
        Quirk(
            f"{called}: text is shown, and not cached",
            (*SAID, chunk(finish=word), usage(), DONE),
            message(TEXT, word) if isinstance(word, str) else None,
            finish="other",
        )
        for called, word in {
            "a word that nobody knows": "vanished",
            "a reason that is no text": {"reason": "x"},
        }.items()
    ),
    *(
        Quirk(f"the usual, in others' words: {word}", (*SAID, chunk(finish=word), usage(), DONE), message(TEXT, word))
        for word in ("end_turn", "eos", "COMPLETE", "stop_sequence")
    ),
    Quirk(
        "Ollama: an error in place of the first line",
        ollama_lines({"error": "model runner has unexpectedly stopped"}),
        None,
        **BROKEN,
        **OLLAMA,
    ),
    Quirk(
        "Ollama: an error in the middle",
        ollama_lines(ollama("Because "), {"error": "an error was encountered while running the model"}),
        None,
        says="Because ",
        breaks=True,
        tokens=None,
        is_fault=True,
        **OLLAMA,
    ),
    # Choices and counts in odd places.
    Quirk(
        "two answers at once, both without an index",
        (
            *(
                chunk(choices=[{"delta": {"content": said}}, {"delta": {"content": "Other."}}])
                for said in ("Because ", "of light.")
            ),
            *USUAL[2:],
        ),
        None,
    ),
    Quirk(
        "the index as a text",
        (
            *(chunk(choices=[{"index": "0", "delta": {"content": said}}]) for said in ("Because ", "of light.")),
            *USUAL[2:],
        ),
        None,
    ),
    Quirk(
        "Moonshot: counts within the choice",
        (
            *SAID,
            chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]),
            DONE,
        ),
        None,
    ),
    # More thinking.
    Quirk(
        "Magistral's own template: [THINK]",
        (text("[THI"), text("NK]So hm.[/THINK]"), *USUAL),
        message(f"[THINK]So hm.[/THINK]{TEXT}"),
    ),
    Quirk("<THINK>", (text("<THINK>So hm.</THINK>\n"), *USUAL), message(f"<THINK>So hm.</THINK>\n{TEXT}")),
    Quirk(
        "a text in brackets",
        (text("[THIS] is "), text("it."), *USUAL[2:]),
        message("[THIS] is it."),
        says="[THIS] is it.",
    ),
]
