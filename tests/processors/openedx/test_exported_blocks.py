"""Blocks as exports write them, from their OLX to the text that a learner's model reads."""

from __future__ import annotations

import json
from xml.sax.saxutils import quoteattr

import pytest

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.processors.openedx.extraction import unit_sections
from openedx_ai_extensions.processors.openedx.trimming import fit
from tests.edxapp.exports import COURSE, LEARNER, block_key, platform_for, write_directory

ZONES = quoteattr(
    json.dumps({"zones": [{"uid": "a", "title": "Top"}], "items": [{"displayName": "Light", "zones": ["a"]}]})
)
ROWS = [
    pytest.param(
        """<openassessment url_name="x" display_name="Essay"><title>Essay</title>
        <assessments><assessment name="student-training"><example><answer><part>XYZZY</part></answer></example>
        </assessment></assessments><prompts><prompt><description>Write.</description></prompt><prompt><description>&lt;b&gt;More&lt;/b&gt;
        </description></prompt></prompts><rubric><criterion feedback="optional"><name>0</name><label>Idea</label>
        <prompt>Is there one?</prompt><option points="3"><name>0</name><label>Good</label>
        <explanation>Yes.</explanation></option></criterion><feedbackprompt>(Optional)</feedbackprompt></rubric>
        </openassessment>""",
        "Open response: Essay\nWrite.\nMore\nRubric:\n- Idea: Is there one?\n  - Good (3): Yes.",
        id="open response",
    ),
    pytest.param(
        """<poll_question url_name="x" display_name="Vote"><p>Which?</p><answer id="y">Yes</answer><answer id="n">No
        </answer></poll_question>""",
        "Poll: Vote\nWhich?\n- Yes\n- No",
        id="poll of old",
    ),
    pytest.param(
        """<poll url_name="x" display_name="Vote" question="Which?"
        answers="[[&quot;y&quot;, {&quot;label&quot;: &quot;Yes&quot;}]]"
        xblock-family="xblock.v1"/>""",
        "Poll: Vote\nWhich?\n- Yes",
        id="poll",
    ),
    pytest.param(
        f'<drag-and-drop-v2 url_name="x" display_name="Leaf" question_text="Where?" data={ZONES}/>',
        "Drag and drop: Leaf\nWhere?\nZones:\n- Top\nItems:\n- Light",
        id="drag and drop",
    ),
    pytest.param(
        '<word_cloud url_name="x" display_name="Words" instructions="Write three." num_inputs="5"/>',
        "Word cloud: Words\nWrite three.",
        id="word cloud",
    ),
    pytest.param(
        '<lti_consumer url_name="x" display_name="Lab" description="Try it." lti_id="PLUGH" launch_url="https://PLUGH"/>',
        "External tool: Lab\nTry it.",
        id="LTI",
    ),
    pytest.param(
        '<discussion url_name="x" display_name="Talk" discussion_category="Week" discussion_id="PLUGH"/>',
        "Discussion: Talk / Week",
        id="discussion",
    ),
    pytest.param(
        """<annotatable url_name="x"><instructions>Read.</instructions>
        <p>One <annotation title="T" body="B">two</annotation></p><p>three</p></annotatable>""",
        "Annotated text:\nRead.\nOne two [T: B]\nthree",
        id="annotated text",
    ),
    pytest.param(
        """<problem-builder url_name="x" display_name="Mine" xblock-family="xblock.v1">
        <html url_name="inner">&lt;p&gt;Read.&lt;/p&gt;</html>
        <pb-mcq url_name="m" question="Which?" correct_choices="[&quot;1&quot;]"><pb-choice url_name="c" value="1">
        A <sub>n</sub> or <math><mi>x</mi></math></pb-choice><pb-choice url_name="d" value="2">B</pb-choice>
        <pb-tip url_name="t" values="[&quot;1&quot;]">XYZZY</pb-tip></pb-mcq>
        <pb-rating url_name="r" question="Well?" low="No" high="Yes"/>
        <pb-message url_name="g" type="completed">XYZZY</pb-message></problem-builder>""",
        "Mine\n\nRead.\n\nQuestion:\nWhich?\n- A n or \\(x\\)\n- B\n\nQuestion:\nWell?\n- 1 (No) to 5 (Yes)",
        id="problem builder",
    ),
    pytest.param(
        """<acme url_name="x" display_name="Box"><text>One part here</text><secret>PLUGH words here</secret>
        <text>Another part there</text></acme>""",
        "Box\nOne part here\nAnother part there",
        id="an unknown block with several parts",
    ),
]


@pytest.mark.parametrize(("olx", "text"), ROWS)
def test_exported_blocks_read_as(tmp_path, olx, text):
    files = {**COURSE, "vertical/u1.xml": f'<vertical display_name="U1">{olx}</vertical>'}
    unit = block_key("vertical/u1")
    (found,) = platform_for(write_directory(files, tmp_path)).content(LEARNER, unit, RetrievalMode.UNIT)
    assert fit(unit_sections([found], unit), None) == f"# U1\n\n{text}"
