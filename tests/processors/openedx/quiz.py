"""Quiz questions, good and bad."""

from __future__ import annotations

from typing import Any

INJECTIONS = [
    "&lt;script&gt;alert(1)&lt;/script&gt;ok",
    "&lt;img src=x onerror=alert(1)&gt;ok",
    "<b>ok</b> &lt;img src=x onerror=alert(1)&gt;",
    "<script>alert(1)</script>ok",
    "<img src=x onerror=alert(1)>ok",
    '"><svg onload=alert(1)>ok',
    "<a href='javascript:alert(1)'>ok</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>ok",
    "<p style='position:fixed' onclick=alert(1)>ok</p>",
    "</problem><script type='loncapa/python'>import os</script>ok",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>ok",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>ok",
    "]]><!-- --><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;ok",
]
NASTY = [
    "x < y & z > w",
    "List<String>",
    "it's",
    "l'été",
    "the dogs' 'bones'",
    'say "hello"',
    "C#, F# and (more)",
    r"\(\frac{1}{2} < x\)",
    "ends in a backslash \\x",
    "日本語 😀",
    "a <strong>b</strong> c",
    "{braces} %s %(x)s {{ x }}",
]


def choices(*rows: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [{"text": row[0], "is_correct": row[1], "feedback": row[2] if len(row) > 2 else ""} for row in rows]


def question(kind: str = "multiplechoiceresponse", **fields: Any) -> dict[str, Any]:
    """A question that can be graded, unless ``fields`` say otherwise."""
    is_many = kind == "choiceresponse"
    chosen = choices(("chlorophyll", True, "Good."), ("water", False, "No."), ("light", is_many))
    answer = {"numericalresponse": "3.5", "stringresponse": "chlorophyll"}.get(kind)
    return {
        "display_name": "Light in leaves",
        "question_html": "<p>What takes up <em>light</em>?</p>",
        "problem_type": kind,
        "choices": [] if answer else chosen,
        "answer_value": answer,
        "tolerance": "5%" if kind == "numericalresponse" else None,
        "explanation": "<p>Because.</p>",
        "demand_hints": ["A hint."],
        **fields,
    }


def injected(kind: str, payload: str) -> dict[str, Any]:
    """A question with something hostile in every text that may be any text."""
    good = question(kind)
    hostile = [
        {**choice, "text": f"{number} {payload}", "feedback": payload} for number, choice in enumerate(good["choices"])
    ]
    return {
        **good,
        "display_name": f"T {payload}",
        "question_html": f"<p>Q {payload}</p>",
        "choices": hostile,
        "explanation": payload,
        "demand_hints": [f"hint {payload}"],
    }
