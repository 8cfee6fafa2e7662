"""What holds for every block whatever is in it: nothing raises, no closed answer is told, order is reading order."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from openedx_ai_extensions.processors.openedx.extraction import block_text, omissions
from tests.processors.openedx.blocks import block

SECRET = "XYZZY"
CATEGORIES = [
    "html", "problem", "video", "vertical", "discussion", "lti", "lti_consumer", "drag-and-drop-v2", "poll", "survey",
    "poll_question", "word_cloud", "openassessment", "annotatable", "library_content", "problem-builder", "pb-mcq",
    "pb-mrq", "pb-rating", "pb-slider", "pb-answer", "pb-completion", "pb-swipe", "pb-tip", "pb-message", "pb-choice",
    "pb-answer-recap", "static_tab", "acme",
]  # fmt: skip
NAMES = [
    "data", "content", "text", "question", "question_text", "questions", "answers", "description", "instructions",
    "transcript", "prompt", "prompts", "rubric_criteria", "rubric_assessments", "block_name", "low", "min_label",
    "header",
    "correct_choices", "required_choices", "discussion_target", "title",
]  # fmt: skip
SCRAPS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<problem>",
        "</problem>",
        "<choicegroup>",
        "</choicegroup>",
        "<choice>",
        "</choice>",
        "<solution>",
        "</solution>",
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</table>",
        "<ol>",
        "<li>",
        "</ol>",
        "<math>",
        "<mfrac>",
        "<mi>",
        "</math>",
        "<pre>",
        "</pre>",
        "<code>",
        "</code>",
        "<sup>",
        "</sup>",
        "<hint>",
        "</hint>",
        "<textline/>",
        "<annotation>",
        "</annotation>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE",
        "<?",
        "&",
        "&nbsp;",
        "&#0;",
        "<",
        ">",
        '"',
        "'",
        "[mathjax]",
        "{",
        "}",
        "[",
        "]",
        ":",
        "00:00",
        "-->",
        "WEBVTT",
        ">>",
        "\\0",
        "<br/>",
        "<svg>",
        "<title>",
        "<script>",
        "</script>",
    ]
)
MARKUP = st.lists(SCRAPS | st.text(max_size=6), max_size=25).map("".join)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | MARKUP,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["zones", "items", "label", "text", "options", "description", "feedback", "title", "points"]
            )
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), ANYTHING | ANYTHING.map(json.dumps), max_size=5)


@given(st.sampled_from(CATEGORIES), st.text(max_size=20), FIELDS, FIELDS, st.booleans())
def test_nothing_raises(category, name, fields, inner, answers_visible):
    child = block("pb-choice", "c", name, answers_visible=answers_visible, **inner)
    given_block = block(category, "x", name, child, answers_visible=answers_visible, **fields)
    assert isinstance(block_text(given_block), str)
    assert all(entry.reason.label for entry in omissions([given_block]))


# Elements of a problem that hold an answer, with everything that learners read around them.
HOLDERS = st.sampled_from(
    [
        f"<solution><p>{SECRET}</p></solution>",
        f"<div class='detailed-solution'>{SECRET}<b>{SECRET}</b></div>",
        f"<demandhint><hint>{SECRET}</hint><hint>{SECRET}</hint></demandhint>",
        f"<choicehint selected='true'>{SECRET}</choicehint>",
        f"<optionhint label='{SECRET}'>{SECRET}</optionhint>",
        f"<correcthint>{SECRET}</correcthint>",
        f"<stringequalhint answer='{SECRET}'>{SECRET}</stringequalhint>",
        f"<additional_answer answer='{SECRET}'>{SECRET}</additional_answer>",
        f"<compoundhint value='A'>{SECRET}</compoundhint>",
        f"<hintgroup><formulahint answer='{SECRET}'/><hintpart><text>{SECRET}</text></hintpart></hintgroup>",
        f"<targetedfeedbackset><targetedfeedback>{SECRET}</targetedfeedback></targetedfeedbackset>",
        f"<script type='loncapa/python'>a = '{SECRET}'</script>",
        f"<answer>{SECRET}</answer>",
        f"<codeparam><answer_display>{SECRET}</answer_display><grader_payload>{SECRET}</grader_payload></codeparam>",
        f"<responseparam default='{SECRET}'/>",
        f"<numericalresponse answer='{SECRET}'><formulaequationinput/></numericalresponse>",
        f"<stringresponse answer='{SECRET}'><textline correct_answer='{SECRET}'/></stringresponse>",
        f"<optioninput options=\"('a','b')\" correct='{SECRET}'/>",
        f"<customresponse expect='{SECRET}'><textline/></customresponse>",
        f"<!-- {SECRET} -->",
    ]
)
ASKED = st.sampled_from(
    ["<p>text</p>", "<choicegroup><choice correct='true'>A</choice></choicegroup>", "<label>L</label>", "<br/>", "tail"]
)
TREES = st.recursive(
    HOLDERS | ASKED,
    lambda inner: st.tuples(
        st.sampled_from(["p", "div", "td", "choice", "label", "multiplechoiceresponse", "pre"]),
        st.lists(inner, max_size=4),
    ).map(lambda node: f"<{node[0]}>{''.join(node[1])}</{node[0]}>"),
    max_leaves=15,
)
DAMAGE = [
    "</p>",
    "</b>",
    "<p>",
    "<b>",
    "&nbsp;",
    "<",
    "&",
    "</div>",
    "<br>",
    "</choice>",
    "<i",
    "</problem>",
    "<!",
    "\0",
]


@given(TREES, st.sampled_from(["problem", "acme", "acme-content"]))
def test_closed_answers_are_not_told(tree, category):
    name = "data" if category == "problem" else "content"
    text = block_text(block(category.removesuffix("-content"), **{name: f"<problem>{tree}</problem>"}))
    assert SECRET not in text
    assert "(correct" not in text


@given(TREES, st.lists(st.tuples(st.integers(0, 600), st.sampled_from(DAMAGE)), max_size=4), st.integers(0, 900))
def test_damage_between_the_tags_lays_nothing_open(tree, damage, cut):
    data = f"<problem>{tree}</problem>"
    for at, scrap in damage:
        # Damage within a tag may make text of an attribute; that is the next test's.
        place = data.find("<", at)
        data = data[:place] + scrap + data[place:] if place >= 0 else data + scrap
    for given_data in (data, data[:cut]):
        assert SECRET not in block_text(block("problem", data=given_data))


@given(TREES, st.integers(0, 900))
@example(f"<choice><responseparam default='{SECRET}'/></choice>", len("<problem><choice>"))
def test_a_lost_character_lays_nothing_open(tree, at):
    data = f"<problem>{tree}</problem>"
    damaged = data[:at] + data[at + 1 :]
    # A class with a slip is a class like any other, and a comment without its beginning a text, to the platform too.
    for whole in ("class='detailed-solution'", "<!--"):
        assume(data.count(whole) == damaged.count(whole))
    assert SECRET not in block_text(block("problem", data=damaged))


@pytest.mark.parametrize("category", ["pb-mcq", "pb-mrq"])
@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_nothing_tells_the_right_choices_of_a_mentoring_question(category, right):
    def text(flip):
        values = [str(n) for n, is_right in enumerate(right) if is_right is not flip]
        choices = [block("pb-choice", f"c{n}", value=str(n), content=f"Choice {n}") for n in range(len(right))]
        fields = {"question": "Which?", "correct_choices": values, "required_choices": values}
        return block_text(
            block(category, "q", "", *choices, block("pb-tip", "t", content=SECRET, values=values), **fields)
        )

    assert text(flip=False) == text(flip=True)
    assert SECRET not in text(flip=False)


@given(st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=1, max_size=5))
def test_nothing_tells_where_dragged_items_belong(places):
    def text(zones):
        data = {
            "zones": [{"uid": str(n), "title": f"Zone {n}"} for n in range(6)],
            "items": [
                {"displayName": f"Item {n}", "zones": [str(zone) for zone in at], "feedback": {"correct": SECRET}}
                for n, at in enumerate(zones)
            ],
        }
        return block_text(block("drag-and-drop-v2", data=json.dumps(data)))

    assert text(places) == text([[] for _ in places])
    assert SECRET not in text(places)


WRAPPERS = st.sampled_from(
    ["<p>{}</p>", "<div><b>{}</b></div>", "<ul><li>{}</li></ul>", "<ol><li><p>{}</p></li></ol>", "<h3>{}</h3>",
     "{}<br/>",
     "<table><tr><td>{}</td></tr></table>", "<pre>{}</pre>", "<blockquote>{}</blockquote>", "<dl><dt>{}</dt></dl>",
     "<img alt='{}'/>", "<math alttext='{}'/>", "<choicegroup><choice>{}</choice></choicegroup>", "<label>{}</label>"]
)  # fmt: skip


@given(
    st.lists(
        st.tuples(st.text("bcdfgh", min_size=3, max_size=6), WRAPPERS),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[0],
    )
)
def test_text_order_is_reading_order(rows):
    markup = " ".join(wrapper.format(word) for word, wrapper in rows)
    words = [word for word, _ in rows]
    for given_block in (block("html", data=markup), block("problem", data=f"<problem>{markup}</problem>")):
        text = "".join(char if char in "bcdfgh" else " " for char in block_text(given_block).replace("Problem:", ""))
        assert [word for word in text.split() if word in words] == words
