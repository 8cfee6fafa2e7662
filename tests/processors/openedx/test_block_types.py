"""Blocks of every other kind that we know, with closed and with open answers."""

from __future__ import annotations

import json

import pytest

from openedx_ai_extensions.processors.openedx.extraction import block_text
from tests.processors.openedx.blocks import block

# Everything that must stay unsaid while answers are closed carries this word; what must never be said, the other.
SECRET, KEY = "XYZZY", "PLUGH"

DRAG_AND_DROP = {
    "targetImgDescription": "A leaf, cut through",
    "zones": [
        {"uid": "z1", "title": "<b>Top</b>", "description": "Where light falls", "x": 1, "align": "center"},
        {"uid": "z2", "title": "Vein"},
    ],
    "items": [
        {"id": 0, "displayName": "Light", "zones": ["z1"], "feedback": {"correct": f"{SECRET}!", "incorrect": SECRET}},
        {"id": 1, "displayName": "", "imageDescription": "A drop", "zone": "z2", "feedback": {}},
        {"id": 2, "displayName": "Salt", "zones": []},
    ],
    "feedback": {"start": "Drag all.", "finish": f"<p>{SECRET} done</p>"},
}
DRAGGED = (
    "Drag and drop: Leaf\nWhere?\n[Image: A leaf, cut through]\nZones:\n- Top: Where light falls\n- Vein\nItems:\n{}\n"
    "Drag all."
)
PAIRS = [["R", {"label": "Red", "img": "/static/r.png", "img_alt": "red"}], ["B", {"label": "", "img_alt": "Blue sky"}]]
CRITERIA = [
    {
        "name": "Ideas",
        "label": "Main idea",
        "prompt": "Is there one?",
        "options": [
            {"name": "0", "label": "Poor", "points": 0, "explanation": "None."},
            {"name": "Good", "points": "3", "explanation": ""},
        ],
    }
]
ASSESSMENTS = [{"name": "student-training", "examples": [{"answer": SECRET, "options_selected": []}]}]
ASSESSED = "Open response: Essay\n{}\nRubric:\n- Main idea: Is there one?\n  - Poor (0): None.\n  - Good (3)"

CLOSED = [
    pytest.param(
        block(
            "discussion",
            "x",
            "Discussion",
            discussion_category="Week one",
            discussion_target="Leaves",
            discussion_id=KEY,
        ),
        "Discussion: Week one / Leaves",
        id="discussion",
    ),
    pytest.param(block("discussion", "x", "Discussion"), "", id="discussion of nothing"),
    pytest.param(
        block(
            "lti_consumer",
            "x",
            "Lab",
            description="<p>Try it.</p>",
            lti_id=KEY,
            launch_url=f"https://{KEY}",
            custom_parameters=[KEY],
            lti_1p3_tool_public_key=KEY,
            lti_1p3_client_id=KEY,
            button_text="Go",
        ),
        "External tool: Lab\nTry it.",
        id="LTI",
    ),
    pytest.param(
        block("lti", "x", "Lab", description="Try it.", lti_id=KEY, launch_url=KEY),
        "External tool: Lab\nTry it.",
        id="LTI of old",
    ),
    pytest.param(
        block("drag-and-drop-v2", "x", "Leaf", question_text="<p>Where?</p>", data=DRAG_AND_DROP),
        DRAGGED.format("- Light\n- [Image: A drop]\n- Salt"),
        id="drag and drop",
    ),
    pytest.param(
        block("drag-and-drop-v2", "x", "Leaf", question_text="Where?", data=json.dumps(DRAG_AND_DROP)),
        DRAGGED.format("- Light\n- [Image: A drop]\n- Salt"),
        id="drag and drop of an export",
    ),
    pytest.param(block("drag-and-drop-v2", "x", "Drag and Drop", data="{broken"), "", id="drag and drop, damaged"),
    pytest.param(
        block("poll", "x", "Poll", question="**Which?**\n\nChoose.", answers=PAIRS, tally={"R": KEY}, feedback=SECRET),
        "Poll:\n**Which?**\nChoose.\n- Red\n- [Image: Blue sky]",
        id="poll",
    ),
    pytest.param(
        block("poll", "x", "Colours", question="Which?", answers=json.dumps(PAIRS)),
        "Poll: Colours\nWhich?\n- Red\n- [Image: Blue sky]",
        id="poll of an export",
    ),
    pytest.param(
        block(
            "poll_question",
            "x",
            "",
            question="<p>Which?</p>",
            answers=[{"id": "y", "text": "<b>Yes</b>"}, {"id": "n"}, "No"],
        ),
        "Poll:\nWhich?\n- Yes\n- No",
        id="poll of old",
    ),
    pytest.param(
        block(
            "survey",
            "x",
            "Survey",
            block_name="You",
            questions=[["q", {"label": "Well?"}], ["r", {"label": "Enough?"}]],
            answers=[["Y", "Yes"], ["N", "No"]],
            feedback=SECRET,
        ),
        "Survey: You\n- Well?\n- Enough?\nChoices: Yes / No",
        id="survey",
    ),
    pytest.param(
        block("word_cloud", "x", "Words", instructions="<p>Write three.</p>", all_words={KEY: 1}, top_words={KEY: 1}),
        "Word cloud: Words\nWrite three.",
        id="word cloud",
    ),
    pytest.param(
        block(
            "openassessment",
            "x",
            "Essay",
            prompt=json.dumps([{"description": "<p>Write.</p>"}, {"description": "And\nthen?"}]),
            rubric_criteria=CRITERIA,
            rubric_assessments=ASSESSMENTS,
            rubric_feedback_default_text=KEY,
            saved_response=KEY,
        ),
        ASSESSED.format("Write.\nAnd\nthen?"),
        id="open response",
    ),
    pytest.param(
        block("openassessment", "x", "", title="Essay", prompt="Write.", rubric_criteria=json.dumps(CRITERIA)),
        ASSESSED.format("Write."),
        id="open response with one prompt",
    ),
    pytest.param(
        block(
            "annotatable",
            "x",
            "",
            data="<annotatable><instructions><p>Read.</p></instructions><p>A <annotation "
            'title="T" body="Say more" problem="0">phrase</annotation>.</p></annotatable>',
        ),
        "Annotated text:\nRead.\nA phrase [T: Say more].",
        id="annotated text",
    ),
    pytest.param(block("static_tab", "x", "Tab", data="<p>Page</p>"), "Page", id="page"),
    pytest.param(block("pb-instructor-tool", "x", "Tool", content="Some words"), "", id="tool for staff"),
    pytest.param(
        block("edx_sga", "x", "Hand in", solution="Some words " + SECRET, points=100), "Hand in", id="staff graded"
    ),
    pytest.param(
        block("acme", "x", "Box", secret_text=f"{KEY} some words", text="Some words here", webhook_token=f"a {KEY} b"),
        "Box\nSome words here",
        id="unknown",
    ),
]


@pytest.mark.parametrize(("given", "text"), CLOSED)
def test_with_closed_answers(given, text):
    assert block_text(given) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        pytest.param(
            block("drag-and-drop-v2", "x", "Leaf", question_text="Where?", data=DRAG_AND_DROP, answers_visible=True),
            DRAGGED.format(
                "- Light (belongs to: Top) [XYZZY!]\n- [Image: A drop] (belongs to: Vein)\n- Salt (belongs to: no zone)"
            )
            + "\nXYZZY done",
            id="drag and drop",
        ),
        pytest.param(
            block(
                "openassessment", "x", "Essay", prompt="Write.", rubric_assessments=ASSESSMENTS, answers_visible=True
            ),
            "Open response: Essay\nWrite.",
            id="open response keeps its examples",
        ),
        pytest.param(
            block("acme", "x", "Box", solution="Some words", text="Read <hint>me</hint> now", answers_visible=True),
            "Box\nRead now",
            id="unknown blocks keep everything",
        ),
    ],
)
def test_with_open_answers(given, text):
    assert block_text(given) == text
