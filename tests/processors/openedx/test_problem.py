"""Problems to text: everything that is asked, nothing that is answered."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openedx_ai_extensions.processors.openedx.extraction import block_text
from tests.processors.openedx.blocks import block

# Everything that must stay unsaid carries this word.
SECRET = "XYZZY"

COMMON = f"""<solution><div class="detailed-solution"><p>Explanation</p><p>{SECRET}</p></div></solution>
<demandhint><hint>{SECRET}</hint></demandhint><script type="loncapa/python">answer = "{SECRET}"</script>
<!-- {SECRET} -->"""

TYPES = [
    pytest.param(
        f"""<multiplechoiceresponse><label>Which?</label><description>Pick one.</description><choicegroup>
        <choice correct="false">A<choicehint>{SECRET}</choicehint></choice>
        <choice correct="true">B <b>b</b><choicehint label="{SECRET}">{SECRET}</choicehint></choice>
        </choicegroup></multiplechoiceresponse>""",
        "Which?\nPick one.\n- A\n- B b",
        "- B b (correct)",
        id="multiple choice",
    ),
    pytest.param(
        f"""<choiceresponse><label>Which?</label><checkboxgroup><choice correct="true">A
        <choicehint selected="true">{SECRET}</choicehint></choice><choice correct="false">B</choice>
        <compoundhint value="A B">{SECRET}</compoundhint></checkboxgroup></choiceresponse>""",
        "Which?\n- A\n- B",
        "- A (correct)",
        id="checkboxes",
    ),
    pytest.param(
        f"""<optionresponse><label>Which?</label><optioninput><option correct="False">A</option>
        <option correct="True">B<optionhint>{SECRET}</optionhint></option></optioninput></optionresponse>""",
        "Which?\n- A\n- B",
        "- B (correct)",
        id="dropdown",
    ),
    pytest.param(
        """<optionresponse><p>It is <optioninput options="('wet','it\\'s dry')" correct="wet" inline="1"/> now.</p>
        </optionresponse>""",
        "It is [wet / it\\'s dry] now.",
        "(correct: wet)",
        id="dropdown of the old form",
    ),
    pytest.param(
        f"""<numericalresponse answer="{SECRET}42"><label>How many?</label>
        <responseparam type="tolerance" default="{SECRET}"/>
        <additional_answer answer="{SECRET}43"><correcthint>{SECRET}</correcthint></additional_answer>
        <formulaequationinput trailing_text="kg"/><correcthint>{SECRET}</correcthint></numericalresponse>""",
        "How many?\n____ kg",
        f"Answer: {SECRET}42",
        id="number",
    ),
    pytest.param(
        f"""<stringresponse answer="{SECRET}" type="ci"><label>Who?</label>
        <additional_answer>{SECRET}</additional_answer>
        <stringequalhint answer="{SECRET}">{SECRET}</stringequalhint><textline size="20"/></stringresponse>""",
        "Who?\n____",
        f"Answer: {SECRET}",
        id="text",
    ),
    pytest.param(
        f"""<formularesponse samples="x@1:2#3" answer="{SECRET}*x"><p>What is</p><textline label="the slope" math="1"/>
        <hintgroup><formulahint name="h" answer="{SECRET}"/>
        <hintpart on="h"><text>{SECRET}</text></hintpart></hintgroup>
        </formularesponse>""",
        "What is\nthe slope ____",
        f"Answer: {SECRET}*x",
        id="formula",
    ),
    pytest.param(
        f"""<customresponse cfn="check" expect="{SECRET}"><p>Two numbers:</p><textline correct_answer="{SECRET}"/>
        <textline correct_answer="{SECRET}"/><answer>{SECRET}</answer></customresponse>""",
        "Two numbers:\n____ ____",
        f"Answer: {SECRET}",
        id="checked by a script",
    ),
    pytest.param(
        f"""<symbolicresponse expect="{SECRET}" id="m"><p>Write m</p><textline math="1"/></symbolicresponse>""",
        "Write m\n____",
        f"Answer: {SECRET}",
        id="symbols",
    ),
    pytest.param(
        f"""<choicetextresponse><label>Which?</label><radiogroup><choice correct="true">It is
        <numtolerance_input answer="{SECRET}9" tolerance="1"/> kg</choice><choice correct="false">None</choice>
        </radiogroup>
        </choicetextresponse>""",
        "Which?\n- It is ____ kg\n- None",
        f"- It is ____ (correct: {SECRET}9) kg (correct)",
        id="choice with text",
    ),
    pytest.param(
        f"""<imageresponse><p>Click it.</p><imageinput src="{SECRET}.png" rectangle="({SECRET})"/></imageresponse>""",
        "Click it.\n____",
        "____",
        id="image",
    ),
    pytest.param(
        f"""<coderesponse><p>Write it.</p><textbox rows="5"/><codeparam><initial_display/>
        <answer_display>{SECRET}</answer_display><grader_payload>{SECRET}</grader_payload></codeparam></coderesponse>""",
        "Write it.\n____",
        "____",
        id="code",
    ),
    pytest.param(
        f"""<schematicresponse><p>Draw.</p><schematic initial_value="{SECRET}"/>
        <answer type="loncapa/python">{SECRET}</answer>
        </schematicresponse>""",
        "Draw.\n____",
        "____",
        id="circuit",
    ),
    pytest.param(
        f"""<customresponse><p>Drag.</p><drag_and_drop_input img="x.png"><draggable id="{SECRET}" label="Iron"/>
        <draggable id="2" label="Gold"/><target id="{SECRET}"/></drag_and_drop_input>
        <answer type="loncapa/python">{SECRET}</answer></customresponse>""",
        "Drag.\n- Iron\n- Gold",
        "- Gold",
        id="drag and drop",
    ),
    pytest.param(
        f"""<annotationresponse><annotationinput><title>T</title><text>Passage</text>
        <comment_prompt>Say why</comment_prompt>
        <options><option choice="{SECRET}">Metaphor</option><option choice="incorrect">Irony</option></options>
        </annotationinput></annotationresponse>""",
        "T\nPassage\nSay why\n- Metaphor\n- Irony",
        "- Irony",
        id="annotation",
    ),
    pytest.param(
        f"""<multiplechoiceresponse><p>Which?</p><choicegroup><choice correct="true" explanation-id="c">A</choice>
        </choicegroup></multiplechoiceresponse><targetedfeedbackset><targetedfeedback explanation-id="c">{SECRET}
        </targetedfeedback></targetedfeedbackset><solutionset><solution explanation-id="c">{SECRET}</solution>
        </solutionset>""",
        "Which?\n- A",
        "- A (correct)",
        id="targeted feedback",
    ),
    pytest.param(
        f"""<p>Which?</p><multiplechoiceresponse><choicegroup label="Which?"><choice correct="true">
        <img src="{SECRET}" alt="A rose"/></choice></choicegroup></multiplechoiceresponse>
        <div class="detailed-solution">{SECRET}</div>""",
        "Which?\n- [Image: A rose]",
        "- [Image: A rose] (correct)",
        id="a label said once, a picture as a choice",
    ),
]


@pytest.mark.parametrize(("markup", "asked", "opened"), TYPES)
def test_the_question_is_told_and_the_answer_is_not(markup, asked, opened):
    closed = block("problem", data=f"<problem>{markup}{COMMON}</problem>", markdown=f"(x) {SECRET}")
    text = block_text(closed)
    assert text == f"Problem:\n{asked}"
    assert SECRET not in text
    assert "correct" not in text.lower()
    assert "explanation" not in text.lower()


@pytest.mark.parametrize(("markup", "asked", "opened"), TYPES)
def test_open_answers_are_told_with_the_solution(markup, asked, opened):
    common = COMMON.replace(f"<p>{SECRET}</p>", "<p>Because.</p>").replace(f"<hint>{SECRET}", "<hint>Think.")
    text = block_text(block("problem", data=f"<problem>{markup}{common}</problem>", answers_visible=True))
    assert opened in text
    assert text.splitlines()[-3:] == ["Explanation", "Because.", "Hint: Think."]
    assert "answer = " not in text


OPENED = [
    pytest.param(
        """<multiplechoiceresponse><choicegroup><choice correct="true">A<choicehint>Yes.</choicehint></choice>
        <choice correct="false">B <choicehint>  </choicehint></choice></choicegroup></multiplechoiceresponse>""",
        "- A (correct) [Hint: Yes.]\n- B",
        id="hints of choices",
    ),
    pytest.param(
        """<choiceresponse><checkboxgroup><choice correct="true">A<choicehint selected="false">Look.</choicehint>
        </choice><compoundhint value="A B">Both?</compoundhint></checkboxgroup></choiceresponse>""",
        "- A (correct) [Hint if not chosen: Look.]\nHint for A B: Both?",
        id="hints of checkboxes",
    ),
    pytest.param(
        """<numericalresponse answer="4"><responseparam type="tolerance" default="5%"/>
        <additional_answer answer="-4"><correcthint>Too.</correcthint></additional_answer>
        <textline/><correcthint>Good.</correcthint></numericalresponse>""",
        "____\nHint: Good.\nAnswer: 4 or -4\nTolerance: 5%",
        id="a number with a tolerance",
    ),
    pytest.param(
        """<stringresponse answer="a"><additional_answer>b</additional_answer><textline/>
        <stringequalhint answer="c">Not c.</stringequalhint></stringresponse>""",
        "____\nHint for c: Not c.\nAnswer: a or b",
        id="a text with a second answer",
    ),
    pytest.param(
        """<customresponse cfn="f"><textline correct_answer="7"/></customresponse>""",
        "____ (correct: 7)",
        id="a script's own answer",
    ),
    pytest.param(
        """<annotationresponse><annotationinput><options><option choice="correct">A</option>
        <option choice="partially-correct">B</option></options></annotationinput></annotationresponse>""",
        "- A (correct)\n- B",
        id="annotation",
    ),
    pytest.param(
        """<formularesponse answer="x"><textline/><hintgroup><formulahint name="h" answer="y"/><hintpart on="h">
        <text>Not y.</text></hintpart></hintgroup></formularesponse>""",
        "____ Not y.\nAnswer: x",
        id="hints of the old form",
    ),
    pytest.param(
        "<targetedfeedbackset><targetedfeedback><p>Wrong turn.</p></targetedfeedback></targetedfeedbackset>",
        "Wrong turn.",
        id="targeted feedback",
    ),
]


@pytest.mark.parametrize(("markup", "text"), OPENED)
def test_open_answers_in_full(markup, text):
    data = f"<problem>{markup}</problem>"
    assert block_text(block("problem", data=data, answers_visible=True)) == f"Problem:\n{text}"


ASKED = [
    pytest.param(
        "<coderesponse><textbox>def f():\n    pass</textbox></coderesponse>",
        "____\n```\ndef f():\n    pass\n```",
        id="code in the box",
    ),
    pytest.param(
        "<coderesponse><textbox/><codeparam><initial_display>x = 1\n</initial_display><answer_display>XYZZY"
        "</answer_display></codeparam></coderesponse>",
        "____\n```\nx = 1\n```",
        id="code to begin with",
    ),
    pytest.param(
        "<p>The mass<clarification>In kg.</clarification> is?</p>", "The mass (In kg.) is?", id="clarifications"
    ),
    pytest.param(
        "<choicetextresponse><checkboxtextgroup><choice correct='true'>x<numtolerance_input answer='XYZZY'/></choice>"
        "</checkboxtextgroup></choicetextresponse>",
        "- x ____",
        id="checkboxes with text",
    ),
    pytest.param(
        "<multiplechoiceresponse><label>A <b>bold <i>nested</i></b> label</label></multiplechoiceresponse>"
        "<optionresponse><label>Second</label></optionresponse>",
        "A bold nested label\nSecond",
        id="nested labels and several questions",
    ),
    pytest.param("<openendedparam>XYZZY</openendedparam><openendedrubric>XYZZY</openendedrubric>x", "x", id="graders"),
    pytest.param("<Solution>XYZZY</Solution><DEMANDHINT><Hint>XYZZY</Hint></DEMANDHINT>x", "x", id="capital letters"),
    pytest.param(
        "<p>[mathjaxinline]x^2[/mathjaxinline]</p><table><tr><th>a</th></tr></table>", "\\(x^2\\)\na", id="as in HTML"
    ),
]


@pytest.mark.parametrize(("markup", "text"), ASKED)
def test_what_is_asked(markup, text):
    assert block_text(block("problem", data=f"<problem>{markup}</problem>")) == f"Problem:\n{text}"


@pytest.mark.parametrize("mark", ['shuffle="true"', 'answer-pool="2"'])
def test_shuffled_choices_do_not_give_the_answer_away_by_their_order(mark):
    choices = [("wrong b", "false"), ("right", "true"), ("wrong a", "false")]

    def text(order):
        inner = "".join(f'<choice correct="{correct}">{name}</choice>' for name, correct in order)
        return block_text(block("problem", data=f"<problem><choicegroup {mark}>{inner}</choicegroup></problem>"))

    assert text(choices) == text(choices[::-1]) == "Problem:\n- right\n- wrong a\n- wrong b"


def test_a_label_that_the_text_does_not_say_is_told():
    data = '<problem><choicegroup label="Which?"><choice>a</choice></choicegroup></problem>'
    assert block_text(block("problem", data=data)) == "Problem:\nWhich?\n- a"


def test_choices_in_a_fixed_order_stay_in_it():
    data = "<problem><choicegroup><choice>b</choice><choice>a</choice></choicegroup></problem>"
    assert block_text(block("problem", data=data)) == "Problem:\n- b\n- a"


def test_a_name_of_a_script_variable_is_no_answer():
    data = '<problem><numericalresponse answer="$x"><textline/></numericalresponse></problem>'
    assert block_text(block("problem", data=data, answers_visible=True)) == "Problem:\n____"


DAMAGED = [
    pytest.param("<p>Why?</p><solution><b>a</p>XYZZY</b></solution><p>So?</p>", "Why?\nSo?", id="a crossed end"),
    pytest.param("<p>Why?</p><solution><b>a</p></b>XYZZY</solution>", "Why?", id="an end that a parser would believe"),
    pytest.param("<p>Why?</p><solution>XYZZY</soluton><p>So?</p>", "Why?", id="an end with a slip"),
    pytest.param("<p>Why?<solutoin>XYZZY</solution><p>So?</p>", "So?", id="a beginning with a slip"),
    pytest.param("<p>Why?<br>&nbsp;&rarr; now</p>", "Why?\n\u2192 now", id="entities that XML does not know"),
    pytest.param("<p>a < b & c</p>", "a < b & c", id="signs that are no markup"),
    pytest.param(
        "<choice correct='true'>A<choicehint>XYZZY</choicehint></choice><choice correct='false'>B<choicehint>XYZZY"
        "</choicehint></choice><p>",
        "- A\n- B",
        id="choices between hints stay",
    ),
    pytest.param(
        "<choice>A<choicehint>XYZZY</choice><choice>B<choicehint>XYZZY</choicehint></choice><p>C",
        "- A\nC",
        id="where an end of a hint is missing more goes",
    ),
    pytest.param("<p>Why?</p><!-- XYZZY -- ><p>So?</p>", "Why?", id="a comment without an end"),
    pytest.param("<p>Why?</p><!- XYZZY -><p>So?</p>", "Why?\nSo?", id="a comment with a slip"),
    pytest.param("<script>XYZZY = 1 < 2</script><p>Why?", "Why?", id="a script"),
    pytest.param("<div class='detailed-solution'><p>a</div></p>XYZZY", "", id="a solution by its class"),
    pytest.param("<p>Why?</p>stringresponse answer='XYZZY'><textline/><p>", "Why?", id="a tag without its beginning"),
    pytest.param("<stringresponse answer='XYZZY><p>Why?</p>", "", id="a value without an end"),
    pytest.param("<p>Why?</p><x:solution>XYZZY</x:solution><p>", "Why?", id="a prefix"),
    pytest.param("<p>Why?</p><solution/><p>So?", "Why?\nSo?", id="an empty solution"),
    pytest.param("<p>Why?</p><formulahint/XYZZY", "Why?", id="cut off in a tag"),
]


@pytest.mark.parametrize(("markup", "text"), DAMAGED)
def test_of_a_damaged_problem_the_rest_is_told_but_no_guess_lays_a_solution_open(markup, text):
    found = block_text(block("problem", display_name="Quiz", data=f"<problem>{markup}</problem>"))
    assert found == f"Problem: Quiz\n{text}".rstrip()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(f"<!DOCTYPE p [<!ENTITY s '{SECRET}'>]><problem>a &s;</problem>", "\na &s;", id="a document type"),
        pytest.param(f"<!DOCTYPE p [<!ENTITY s '{SECRET}'", "", id="a document type without an end"),
        pytest.param("Why?", "\nWhy?", id="no XML"),
        pytest.param("", "", id="nothing"),
        pytest.param(None, "", id="no text"),
    ],
)
def test_what_is_no_problem_at_all(data, text):
    assert block_text(block("problem", display_name="Quiz", data=data)) == f"Problem: Quiz{text}"


def test_a_damaged_problem_with_open_answers_tells_them():
    data = "<problem><p>Why?<choice correct='true'>A</choice><solution><p>Because.</solution><answer>XYZZY</answer>"
    assert block_text(block("problem", data=data, answers_visible=True)) == "Problem:\nWhy?\n- A (correct)\nBecause."


LETTERS = st.text(st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=8)
CHOICES = st.lists(st.tuples(LETTERS, st.booleans(), LETTERS), min_size=1, max_size=6)


@given(question=LETTERS, choices=CHOICES, shuffle=st.booleans(), kind=st.sampled_from(["choicegroup", "checkboxgroup"]))
def test_nothing_tells_a_right_choice_from_a_wrong_one(question, choices, shuffle, kind):
    def text(flip):
        inner = "".join(
            f'<choice correct="{str(right is not flip).lower()}">{escape(name)}'
            f"<choicehint>{SECRET}{escape(hint)}</choicehint></choice>"
            for name, right, hint in choices
        )
        group = f'<{kind} shuffle="{str(shuffle).lower()}">{inner}</{kind}>'
        data = f"<problem><p>{escape(question)}</p>{group}<solution>{SECRET}</solution></problem>"
        return block_text(block("problem", data=data))

    assert text(flip=False) == text(flip=True)
    assert SECRET not in text(flip=False)
    assert sorted(line for line in text(flip=False).splitlines() if line.startswith("- ")) == sorted(
        f"- {name}" for name, _, _ in choices
    )


TAGS = [
    "p",
    "choice",
    "choicegroup",
    "solution",
    "hint",
    "numericalresponse",
    "label",
    "option",
    "td",
    "tr",
    "li",
    "pre",
]
TREES = st.recursive(
    st.sampled_from(["text", "<textline/>", "<optioninput options=\"('a',\"/>", "<!-- -->", "<script>x</script>"]),
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4)).map(
        lambda node: f'<{node[0]} answer="{SECRET}" correct="true">{"".join(node[1])}</{node[0]}>'
    ),
    max_leaves=25,
)


@given(tree=TREES, cut=st.integers(0, 200))
def test_no_problem_breaks_it_or_gives_an_attribute_away(tree, cut):
    for data in (f"<problem>{tree}</problem>", tree[:cut]):
        text = block_text(block("problem", data=data))
        assert SECRET not in text
        assert "(correct" not in text
