"""Builds messages from the prompt, the course, the history and the learner's input.

The stable part comes first, for prompt caches of providers. Untrusted text is fenced, and cannot close its fence:
variations of the closing tag in case, with known look-alikes, with invisible characters or as entities are escaped.
What a person would not recognise as a tag at first glance, such as one with a comment in its middle, is left unchanged.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from openedx_ai_extensions.moderation.words import folded
from openedx_ai_extensions.processors.llm.provider.tool_calls import ToolCall, sendable_call, sendable_id
from openedx_ai_extensions.prompts.builtin import builtin_prompt
from openedx_ai_extensions.prompts.fences import COURSE, LABELS, LEARNER, TOOL

_FENCED = re.compile(rf"\A<({LEARNER}|{TOOL})>\n(.*)\n</\1>\Z", re.DOTALL)
_DEFUSED = re.compile(rf"(?:\[|&lt;)(?=\s*/?\s*(?:{'|'.join(LABELS)}))")  # older threads at providers contain &lt;

# The letters of each label, and the positions where punctuation may occur: before the first one and between the words.
_WORDS = {label.replace("_", ""): (0, label.index("_")) for label in LABELS}

# Look-alikes that ``folded`` does not cover, from Unicode's confusables.txt.
_OPENING = "<\u02c2\u1438\u2039\u00ab\u226a\u227a\u22d6\u2329\u276c\u276e\u2770\u27e8\u27ea\u2991\u29fc\u3008\u300a"
_DASHES = "\u1173\u30fc\u3161\u4e00"  # letters
_CLOSING = ">\u02c3\u1433\u203a\u00bb\u226b\u227b\u22d7\u232a\u276d\u276f\u2771\u27e9\u27eb\u2992\u29fd\u3009\u300b"
_LOOKS_LIKE = {
    character: letter
    for letter, characters in {
        "a": "@\u03b1\u0430\u0251\u237a\u13aa\u15c5\ua4ee",
        "c": "\u00a2\u03f2\u0441\u0188\u1d04\u13df\u1974\u2ca5\ua4da",
        "e": "3\u03b5\u0435\u0454\u04bd\u025b\u1d07\u212e\u13ac\u2d39\ua4f0",
        "g": "\u0261\u0262\u050d\u0581\u029b\u13c0\ua4d6",
        "l": "1|!i\u01c0\u0131\u026a\u1d0c"
        "\u03b9\u0456\u04cf\u029f\u0627\u05c0\u05d5\u05df\u13de\u2223\u2d4f\u4e28\ua4e1\U0001df04",
        "m": "\u03bc\u03fb\u043c\u1d0d\u13b7\u15f0\u2c99\ua4df",
        "n": "\u03b7\u03bd\u043f\u0274\u0578\u057c\u2c9b\ua4e0",
        "o": "0\u03bf\u03c3\u043e\u0585\u05e1\u0647\u0665\u06f5\u07c0\u0966\u09e6\u0b20\u0d20\u0e50\u0ed0\u101d\u1040"
        "\u10ff\u1d0f\u2c9f\u2d54\u3007\ua4f3",
        "r": "\u0433\u044f\u0280\u1d26\u13a1\u13d2\u1587\u2c85\uab46\uab47\ua4e3",
        "s": "5$\u00a7\u01bd\u0282\u0455\u057f\ua731\u13da\ua4e2",
        "t": "+\u2020\u03c4\u0442\u1d1b\u13a2\u22a4\u27d9\u2ca7\ua4d4",
        "u": "\u03c5\u028b\u057d\u0446\u1d1c\u144c\u222a\u2294\ua4f4",
    }.items()
    for character in characters
}
# An entity, escaped any number of times; some names need no semicolon.
_ENTITY = (
    r"&(?:amp;|#0*38;|#[xX]0*26;)*+(?:#0*+(?P<decimal>[0-9]{1,7}+);?|#[xX]0*+(?P<hex>[0-9a-fA-F]{1,6}+);?"
    r"|(?P<name>(?:lt|LT|laquo);?|[a-zA-Z]\w{1,39}+;))"
)
_ENTITY_BEGINS = {"decimal": "&#", "hex": "&#x", "name": "&"}
_MAY_OPEN = re.compile(rf"[{_OPENING}\uff1c\ufe64\u226e]|{_ENTITY}")
_TOKEN = re.compile(rf"{_ENTITY}|.", re.DOTALL)


def build_messages(
    *, prompt: str, language: str, context: str, chat_history: Sequence[Mapping[str, Any]], input_text: str
) -> list[dict[str, Any]]:
    """Messages in OpenAI's format: one system message, the history, and a user message at the end.

    Args:
        prompt: the task.
        language: the rule about the language of the answer.
        context: course text; may be empty.
        chat_history: earlier messages, oldest first; the texts of learners and tools in them are not fenced yet.
        input_text: the learner's input; if empty, a request to start is sent.
    """
    system = [prompt, builtin_prompt("ground_rules").replace("{language}", language)]
    if context:
        system.append(fenced(context))
    begin = {"role": "user", "content": builtin_prompt("begin")}
    # Some providers require a conversation to start with the user; a greeting was requested that way.
    starts_with_greeting = bool(chat_history) and chat_history[0]["role"] != "user"
    return [
        {"role": "system", "content": "\n\n".join(system)},
        *([begin] if starts_with_greeting else []),
        *(sendable(message) for message in chat_history),
        {"role": "user", "content": fenced(input_text, LEARNER)} if input_text else begin,
    ]


def sendable(message: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a message of the history for a model: texts of learners and tools are fenced."""
    label = {"user": LEARNER, "tool": TOOL}.get(message["role"])
    # If a filter changed the learner's text, the changed text is sent again.
    said = message.get("sent", message["content"])
    content = fenced(said, label) if label else said or None
    sent = {"content": content, **{name: message[name] for name in ("role", "name") if name in message}}
    if message.get("tool_calls"):
        sent["tool_calls"] = [sendable_call(call) for call in message["tool_calls"]]
    if "tool_call_id" in message:
        sent["tool_call_id"] = sendable_id(message["tool_call_id"])
    return sent


def with_thinking(message: Mapping[str, Any], thinking: Mapping[str, Any], calls: Sequence[ToolCall]) -> dict[str, Any]:
    """An assistant's message as its provider requires it within the turn: with its reasoning and signatures."""
    extras = {sendable_id(call.id): dict(call.extra) for call in calls}
    marked = [
        {**call, "provider_specific_fields": extras[call["id"]]} if extras.get(call["id"]) else call
        for call in message.get("tool_calls") or ()
    ]
    return {**message, **thinking, **({"tool_calls": marked} if marked else {})}


def without_tools(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The history for a model without tools: some providers refuse calls of tools that are not defined."""
    spoken = [message for message in messages if message["role"] != "tool" and message["content"]]
    return [{name: value for name, value in message.items() if name != "tool_calls"} for message in spoken]


def fenced(text: str, label: str = COURSE) -> str:
    """Fence a text. Tags inside it that look like our labels get a square bracket."""
    return f"<{label}>\n{_defused(text)}\n</{label}>"


def unfenced(text: str) -> str:
    """The original text of a fenced learner message or tool result; any other text unchanged."""
    found = _FENCED.match(text)
    return _DEFUSED.sub("<", found[2]) if found else text


def _defused(text: str) -> str:
    begins_label: dict[int, bool] = {}
    # From the end to the start, so that the result for a following bracket is known: linear time.
    for opening in reversed(list(_MAY_OPEN.finditer(text))):
        if any(character in _OPENING for character, _is_punctuation in _read(_plain(opening))):
            begins_label[opening.start()] = _is_label(text, opening.end(), begins_label)
    return _MAY_OPEN.sub(lambda opening: "[" if begins_label.get(opening.start()) else opening[0], text)


def _is_label(text: str, start: int, begins_label: Mapping[int, bool]) -> bool:
    """Can the text from ``start`` be read as one of our labels? For a further bracket, use ``begins_label``."""
    reached = {(word, 0) for word in _WORDS}
    for token in _TOKEN.finditer(text, start):
        for letter, is_punctuation in _read(_plain(token)):
            if letter in _OPENING:
                return all(at == 0 for _word, at in reached) and begins_label.get(token.start(), False)
            if letter in _CLOSING:
                return False
            further = {(word, at + 1) for word, at in reached if word[at] == letter}
            waiting = {(word, at) for word, at in reached if is_punctuation and at in _WORDS[word]}
            reached = further | waiting
            if any(at == len(word) for word, at in reached):
                return True
        if not reached:
            return False
    return False


def _plain(token: re.Match[str]) -> str:
    """The characters that a token represents: those of an entity, or itself."""
    kind = token.lastgroup
    return html.unescape(_ENTITY_BEGINS[kind] + token[kind]) if kind else token[0]


@lru_cache(maxsize=8192)
def _read(characters: str) -> tuple[tuple[str, bool], ...]:
    """The letters and signs that people would read, and whether each is punctuation; without spaces and accents."""
    return tuple(
        (_LOOKS_LIKE.get(letter, letter), not letter.isalnum() or letter in _DASHES)
        for character in characters
        for letter in _LOOKS_LIKE.get(character) or (letter for letter, _kind in folded(character))
        if not letter.isspace() and unicodedata.category(letter) not in {"Cc", "Cf", "Mn", "Mc", "Me"}
    )
