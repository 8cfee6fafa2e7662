r"""Parses the JSON value in a model's reply, which may be surrounded by text and contain LaTeX with single backslashes.

In ``"\(\frac{1}{2}\times 4\)"``, ``\(`` is not valid JSON, and JSON reads ``\f`` as a form feed and ``\t`` as a tab.
The rule that distinguishes commands from escapes is in ``docs/decisions/0037-latex-in-json.rst``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from openedx_ai_extensions.processors.formulas import Span, find_spans
from openedx_ai_extensions.prompts.fences import without_fence_tags

MAX_STARTS = 50  # positions of a reply where JSON is searched
MAX_DEPTH = 50  # nested objects and lists
MAX_DOUBTS = 20
_FENCE = re.compile(r"```[a-z]*+[^\S\n]*+\n", re.IGNORECASE)
# An unterminated string extends to the end: searching again after each of its quotes would take quadratic time.
_STRING = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)("|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKENS = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)
_VALUE_START = re.compile(r'\[|\{(?P<key>(?=\s*"))?')
# XML and some databases do not accept these characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

# MathJax's commands that begin with n, r or t, because "\n", "\r" and "\t" are also common escapes. Commands that begin
# with b, f or u need no list.
_NAMES = """
nLeftarrow nLeftrightarrow nRightarrow nVDash nVdash nabla natural ncong ne nearrow neg negmedspace negthickspace
negthinspace neq newcommand newline nexists ngeq ngeqq ngeqslant ngtr ni nleftarrow nleftrightarrow nleq nleqq
nleqslant nless nmid nobreak nobreakspace nolimits nonumber normalsize not notag notin nparallel nprec npreceq
nrightarrow nshortmid nshortparallel nsim nsubset nsubseteq nsubseteqq nsucc nsucceq nsupset nsupseteq nsupseteqq
ntriangleleft ntrianglelefteq ntriangleright ntrianglerighteq nu null nvDash nvdash nwarrow
rVert raise raisebox rangle rbrace rbrack rceil ref renewcommand require restriction rfloor rgroup rhd rho right
rightarrow rightarrowtail rightharpoondown rightharpoonup rightleftarrows rightleftharpoons rightrightarrows
rightsquigarrow rightthreetimes risingdotseq rlap rm rmoustache root rotatebox rtimes rule rvert
tag tan tanh tau tbinom text textbf textcolor textit textmd textnormal textrm textsc textsf textstyle
textsubscript textsuperscript texttt textup tfrac therefore theta thickapprox thicksim thickspace thinspace tilde
times tiny to top triangle triangledown triangleleft trianglelefteq triangleq triangleright trianglerighteq tt
twoheadleftarrow twoheadrightarrow
"""
# Some are ambiguous with a letter and a word, or an identifier: "\nexists" may be a line break and "exists".
_INFIX_NAMES = "ncong ne neq ni nless nmid nparallel nprec nsim nsubset nsucc nsupset tan to"
_SYMBOL_NAMES = "neg nexists nu tag tau top tt"
# Some are ambiguous with a letter and a variable of a formula: "\nu" may be a line break and "u".
_INFIX_VARIABLES = frozenset({"ne", "ni"})
_COMMANDS, _INFIX, _SYMBOLS = (frozenset(names.split()) for names in (_NAMES, _INFIX_NAMES, _SYMBOL_NAMES))

# Noncharacters, which Unicode reserves for internal use. They represent "\n", "\r", "\t" that may start a command, and
# a repaired row break.
_HELD = dict(zip("nrt", "\ufdd0\ufdd1\ufdd2", strict=True))
_LETTERS = {held: letter for letter, held in _HELD.items()}
_ROW_BREAK = "\ufdd3"
_RELEASE = str.maketrans({"\ufdd0": "\n", "\ufdd1": "\r", "\ufdd2": "\t", _ROW_BREAK: "\\\\"})
_RESERVED = re.compile("[\ufdd0-\ufdd3]")

_ESCAPE = re.compile(
    r"""
      (?<!\\)(?P<row>\\\\)(?=\\(?!u[0-9a-fA-F]{4})[a-mo-qsu-zA-Z])  # the first two of "\\\hline"
    | \\(?P<json>["\\/]|u[0-9a-fA-F]{4})
    | \\(?P<held>[nrt])
    | \\(?P<other>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_COMMAND = re.compile("([\ufdd0-\ufdd2])([A-Za-z]++)(?![\u00df-\u024f])")
_NO_COMMAND_AFTER_BREAK = re.compile("\n|\ufdd0(?![A-Za-z])")

# The context before a command outside of a formula. A line break usually follows a word or a full stop.
_BEFORE_SYMBOL = r"\A|(?<=[^\s\ufdd0-\ufdd2] )|(?<=[(\[{$=+\-*/|^_<~&])|(?<=[^\W\d_])(?<![^\W\d_]{2})"
_MAY_BE_SYMBOL = re.compile(_BEFORE_SYMBOL)
_MAY_BE_INFIX = re.compile(_BEFORE_SYMBOL + r"|(?<=[\d)\]}>])")
_COMMAND_AT_END = re.compile(r"([\\\ufdd0-\ufdd2])([A-Za-z]+)\Z")
_NO_OPERAND = re.compile(r"\s*(?:[\^_=)}\],.;:!&']|\\[)\]]|\Z)")
_WORD = re.compile(r"\s*[^\W\d_]{2}")
# Inside a formula
_LINE_STARTS = re.compile(
    r"(?:\A|[\n\ufdd0\ufdd2\ufdd3]|\\\\(?:\[[^\[\]]*\])?|(?<!\\)\\|\\begin\{[A-Za-z]+\*?\}(?:\{[^{}]*\})?)[ ]*\Z"
)
_AFTER_LINE_BREAK = re.compile(r"[\n\ufdd0][ ]*\Z")
_OPERATOR = re.compile(r"[=+\-*/<>,(\[{]\s*\Z")
_OPENING = re.compile(r"[({\[^_]\Z")

_ROWS = re.compile(r"\\begin\{(?:[A-Za-z]*matrix|[dr]?cases|array|[fx]*align\w*|split|gather\w*|eqnarray)\*?\}")
_LONE_ROW_BREAK = re.compile(r"\\(?=[\s\d+\-\ufdd0]|\[\s*-?[\d.]|[A-Za-z](?![A-Za-z]))")

_COMMAND_TWICE = re.compile(r"\\\\[A-Za-z]{2}")
_BACKSLASHES = re.compile(r"\\+")
_DELIMITERS_TWICE = (("\\\\(", "\\\\)"), ("\\\\[", "\\\\]"))
_CONTEXT = 100  # characters before a command that are examined

Decide = Callable[[str, re.Match[str]], bool | None]


class UnreadableReply(ValueError):
    """A reply contains no JSON. The message tells the model why."""


def parse_json(reply: str) -> tuple[Any, list[str]]:
    """Parse the JSON value in a reply: the whole reply, a fenced part, or the longest object or list in other text.

    Strings may contain line breaks and single backslashes, see ``read_string``. Numbers that are not
    JSON, such as ``NaN``, are errors.

    Returns:
        The value, without unprintable characters; and descriptions for the model of what is ambiguous in its strings,
        usually none.

    Raises:
        UnreadableReply: there is no JSON value.
    """
    faults: list[str] = []
    for text in (reply, *_fenced(reply)):
        try:
            return _decode(text.strip())
        except (ValueError, RecursionError) as error:
            faults.append(_reason(error))
    found = max(_embedded(reply, faults), key=lambda part: part[0], default=None)
    if found is None:
        # The error of an embedded part is more helpful than that of the surrounding text.
        raise UnreadableReply(f"This is not JSON: {faults[-1]}")
    return found[1]


def _fenced(reply: str) -> Iterator[str]:
    """The parts of a reply inside code fences."""
    position = 0
    while opening := _FENCE.search(reply, position):
        end = reply.find("```", opening.end())
        if end < 0:
            return
        yield reply[opening.end() : end]
        position = end + 3


def _embedded(reply: str, faults: list[str]) -> Iterator[tuple[int, tuple[Any, list[str]]]]:
    """The length and the value of each object and list in other text.

    Parts of a broken object are omitted: an error message about them would not help the model.
    """
    position = 0
    for _number in range(MAX_STARTS):
        start = _VALUE_START.search(reply, position)
        if start is None:
            return
        end = _end(reply, start.start())
        is_object = start["key"] is not None
        if end is None and not is_object:
            position = start.end()
            continue
        try:
            found = _decode(reply[start.start() : end])
        except (ValueError, RecursionError) as error:
            if is_object:
                faults.append(_reason(error))
            if end is None:
                return
            position = end if is_object else start.end()
        else:
            position = len(reply) if end is None else end
            yield position - start.start(), found


def _end(reply: str, start: int) -> int | None:
    """The end of the object or list that starts here; None if it is not closed."""
    depth = 0
    for token in _TOKENS.finditer(reply, start):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth == 0:
            return token.end()
        if depth > MAX_DEPTH:
            break
    return None


def _decode(text: str) -> tuple[Any, list[str]]:
    """Parse a text that is JSON, except for the contents of its strings.

    Raises:
        ValueError, RecursionError: it is not JSON.
    """
    doubts: list[str] = []

    def as_json(literal: re.Match[str]) -> str:
        if literal[2] != '"':
            return literal[0]
        string, told = read_string(literal[1])
        doubts.extend(told)
        return json.dumps(string)

    value = _DECODER.decode(_STRINGS.sub(as_json, text))
    return _clean(value), doubts[:MAX_DOUBTS]


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError(msg=message, doc=text, pos=position) if text:
            around = text[max(position - 30, 0) : position + 30]
            return f"{message}, here: {around}" if position < len(text) else f"{message}, at the end."
        case json.JSONDecodeError():
            return "there is nothing."
        case RecursionError():
            return "objects and lists are nested too deep."
    return str(error)


def _not_json(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON.")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_json(text)


_DECODER = json.JSONDecoder(parse_constant=_not_json, parse_float=_finite)


def _clean(value: Any) -> Any:
    """The value without unprintable characters."""
    if isinstance(value, str):
        return without_fence_tags(_UNPRINTABLE.sub("", value))
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def read_string(body: str) -> tuple[str, list[str]]:
    """Read a JSON string of a model's reply.

    Args:
        body: the text between the quotes. It may contain line breaks and backslashes that JSON does not allow.

    Returns:
        The text, and descriptions for the model of what is ambiguous in it, usually none.
    """
    text = json.loads(f'"{_ESCAPE.sub(_keep_backslash, _RESERVED.sub("", body))}"', strict=False)
    # A backspace or form feed is never intended. Some gateways write "\b" as "\u0008".
    text = text.replace("\b", "\\b").replace("\f", "\\f")
    if _is_escaped_twice(text):
        text = text.replace("\\\\", "\\")
    pieces: list[str] = []
    doubts: list[str] = []
    position = 0
    for span in find_spans(text):
        pieces.append(_with_commands(text, position, span.start, _is_command_in_text, doubts))
        pieces.append(_span(text, span, doubts))
        position = span.end
    pieces.append(_with_commands(text, position, len(text), _is_command_in_text, doubts))
    return "".join(pieces).translate(_RELEASE), doubts


def _keep_backslash(escape: re.Match[str]) -> str:
    """Rewrite an escape so that JSON keeps its backslash, unless it is a valid JSON escape."""
    if escape["row"]:
        return _ROW_BREAK
    if escape["json"]:
        return escape[0]
    if escape["held"]:
        return _HELD[escape["held"]]
    # JavaScript's escapes for quotes.
    return escape["other"] if escape["other"] in "'`" else "\\" + escape[0]


def _is_escaped_twice(text: str) -> bool:
    """Does every backslash in the text, including those of formulas, occur twice?"""
    has_formula = any(opening in text and closing in text for opening, closing in _DELIMITERS_TWICE)
    if not has_formula or not _COMMAND_TWICE.search(text):
        return False
    return all(len(run) % 2 == 0 for run in _BACKSLASHES.findall(text))


def _span(text: str, span: Span, doubts: list[str]) -> str:
    if span.is_code:
        return text[span.start : span.end]
    has_lines = _has_lines(text[span.start : span.end])
    decide = partial(_is_command_in_formula, begin=span.start + len(span.opening), has_lines=has_lines)
    formula = _with_commands(text, span.start, span.end, decide, doubts)
    # A row break is "\\", written as four backslashes in JSON. Models often write two, and JSON leaves one.
    if _ROWS.search(formula) and "\\\\" not in formula:
        formula = _LONE_ROW_BREAK.sub(_ROW_BREAK, formula)
    return formula


def _with_commands(text: str, start: int, end: int, decide: Decide, doubts: list[str]) -> str:
    """A part of the text, with backslashes restored in front of commands."""
    pieces: list[str] = []
    position = start
    for match in _COMMAND.finditer(text, start, end):
        name = _LETTERS[match[1]] + match[2]
        is_command = decide(name, match)
        if is_command is None:
            doubts.append(_doubt(name, match))
        elif is_command:
            before = text[position : match.start()]
            # "\\\tau": a row break and a command.
            lone = len(before) - len(before.rstrip("\\")) & 1
            pieces += [before[: len(before) - lone], _ROW_BREAK if lone else "", "\\", name]
            position = match.end()
    pieces.append(text[position:end])
    return "".join(pieces)


def _is_command_in_text(name: str, match: re.Match[str]) -> bool:
    """Is this a command outside of formulas and code? An ambiguous one is read as JSON reads it."""
    text = match.string
    if name in _SYMBOLS:
        return _MAY_BE_SYMBOL.match(text, match.start()) is not None or _is_after_command(match)
    if name in _INFIX:
        has_operand = not _NO_OPERAND.match(text, match.end()) and not _WORD.match(text, match.end())
        return has_operand and (_MAY_BE_INFIX.match(text, match.start()) is not None or _is_after_command(match))
    return name in _COMMANDS


def _is_after_command(match: re.Match[str]) -> bool:
    r"""Does it follow a command without a space, as in ``\alpha\neq``?"""
    before = _COMMAND_AT_END.search(match.string, max(match.start() - _CONTEXT, 0), match.start())
    if before is None or before[1] == "\\":
        return before is not None
    return _LETTERS[before[1]] + before[2] in _COMMANDS - _INFIX - _SYMBOLS


def _is_command_in_formula(name: str, match: re.Match[str], *, begin: int, has_lines: bool) -> bool | None:
    """Is this a command inside a formula?

    Args:
        name, match: the candidate.
        begin: the start of the formula in the text, after its delimiter.
        has_lines: the formula has several lines.

    Returns:
        None if it is ambiguous.
    """
    before = match.string[max(begin, match.start() - _CONTEXT) : match.start()]
    if not name.startswith("n"):
        # Tabs indent lines, and a carriage return precedes a line break. Other commands are macros.
        return name in _COMMANDS or name.startswith("r") or not _LINE_STARTS.search(before)
    if name in _INFIX_VARIABLES:
        has_operands = not _NO_OPERAND.match(match.string, match.end()) and not _OPERATOR.search(before)
        return has_operands and not _LINE_STARTS.search(before)
    if name != "nu" or not has_lines:
        return name in _COMMANDS
    # A formula has no empty lines.
    if _AFTER_LINE_BREAK.search(before) or _OPENING.search(before):
        return True
    return False if _LINE_STARTS.search(before) else None


def _has_lines(formula: str) -> bool:
    """Does the formula contain a line break that is not the start of a command?"""
    if _NO_COMMAND_AFTER_BREAK.search(formula):
        return True
    return any("n" + match[2] not in _COMMANDS for match in _COMMAND.finditer(formula) if match[1] == _HELD["n"])


def _doubt(name: str, match: re.Match[str]) -> str:
    start, end = max(match.start() - 40, 0), match.end() + 20
    around = json.dumps(match.string[start:end].translate(_RELEASE), ensure_ascii=False)
    return (
        rf"In {around}, \n before {name[1:]} may be a line break or the start of the command \{name}. Write the "
        rf"command as \\{name}; for a line break in a formula write a space."
    )
