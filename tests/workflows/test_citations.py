"""Answers cite the places in the course that they are based on, and only those that the model could really read."""

import json
import random
import re
import shutil

import pytest
from django.core.exceptions import ValidationError

from tests.api.conftest import HERE, Api
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.workflows.conversations.conftest import JSON, SSE, Chat, api, events_of

__all__ = ["api"]  # a fixture

UNIT = "block-v1:OpenedX+AIX+demo+type@vertical+block@{}".format
BLOCK = "block-v1:OpenedX+AIX+demo+type@{}+block@{}".format
SUNLIGHT = BLOCK("html", "html_sunlight")
VIDEO = BLOCK("video", "video_chlorophyll")
NOTES = UNIT("unit_teacher_notes")
LISTED = {"processor_config": {"LLMProcessor": {"citations": "list"}}}
OFF = {"processor_config": {"LLMProcessor": {"citations": False}}}


def at(unit):
    return {**HERE, "locationId": unit}


def labels_sent(request):
    """The labels in a request's course text, with the text behind each."""
    text = request["messages"][0]["content"].partition("<course_content>")[2]
    return dict(re.findall(r"【(\d{5})】 ([^【]*)", text))


def labels(provider, ask, **place):
    """The labels that the model sees at a place, in order."""
    assert ask(**place).status_code == 200
    return list(labels_sent(provider.requests[-1]))


def labels_sent_at(provider, ask):
    assert ask().status_code == 200
    return labels_sent(provider.requests[-1])


def text_and_citations(events):
    return (
        "".join(data["text"] for name, data in events if name == "delta"),
        [data for name, data in events if name == "citation"],
    )


@pytest.fixture
def question_box(make_scope, learner, provider):
    make_scope(base_filepath="base/ask.json5", slug="ask")
    api = Api(learner)

    def ask(text="Why?", *, headers=JSON, context=HERE, **body):
        response = api.run(text, headers=headers, context=context, **body)
        assert response.status_code == 200, response.content
        return response

    return ask


def streamed(ask, **place):
    return text_and_citations(events_of(ask(headers=SSE, **place)))


def test_a_streamed_answer_cites_its_passages(question_box, provider):
    first, second = labels(provider, question_box)[:2]
    provider.reply([f"A meal 🌞 of light 【{first[:2]}", f"{first[2:]}】. Two", f" steps【{second}】【{first}】."])
    text, cited = streamed(question_box, context=HERE)
    assert text == "A meal 🌞 of light. Two steps."
    assert [(each["number"], each["position"]) for each in cited] == [(1, 18), (2, 29), (1, 29)]
    quote = cited[0].pop("quote")
    assert quote.startswith("A meal made of light. You eat; a sunflower does not.")
    assert cited[0] == {
        "number": 1,
        "position": 18,
        "unit_id": HERE["locationId"],
        "block_id": SUNLIGHT,
        "title": "Sunlight, water and air",
        "url": cited[0]["url"],
    }
    assert cited[0]["url"].endswith(f"/{HERE['locationId']}")


def test_in_json_and_plain_text(question_box, provider):
    first = labels(provider, question_box)[0]
    provider.reply(f"A meal 【{first}】.")
    answer = question_box().json()
    assert answer["response"] == "A meal."
    assert [(each["block_id"], each["position"]) for each in answer["citations"]] == [(SUNLIGHT, 6)]
    assert b"".join(question_box(headers={}).streaming_content) == b"A meal."


def test_as_a_list_at_the_end(make_scope, learner, provider):
    make_scope(base_filepath="base/chat.json5", slug="chat", patch=LISTED)
    chat = Chat(learner)
    chat.answer("Hello")
    first, second = list(labels_sent(provider.requests[-1]))[:2]
    provider.reply([f"A meal 【{first}】. Two", f" steps 【{second}】."])
    for text in (chat.stream("Why?"), chat.answer("How?"), text_and_citations(chat.events("What?"))[0]):
        body, _gap, sources = text.partition("\n\nSources:\n")
        assert body == "A meal [1]. Two steps [2]."
        assert [line.partition("](")[0] for line in sources.splitlines()] == [
            "- [1] [Sunlight, water and air",
            "- [2] [Sunlight, water and air",
        ]
        assert "unit_sunlight)" in sources
    assert [content for role, content in chat.shown() if role == "assistant"][-1] == text
    assert "citations" not in chat.say("Who?").json()
    assert "citation" not in dict(chat.events("When?"))
    provider.reply("Fine.")
    chat.answer("And now?")
    assert [m["content"] for m in provider.requests[-1]["messages"] if m["role"] == "assistant"][-1] == (
        f"A meal 【{first}】. Two steps 【{second}】."
    )


def test_invented_and_forbidden_places_are_dropped(make_scope, learner, author, provider):
    make_scope(base_filepath="base/ask.json5", slug="ask")
    # The author can read the notes for teachers; the learner cannot.
    forbidden = labels(provider, lambda: Api(author).run("Why?", headers=JSON, context=at(NOTES)))
    staff_only = [label for label, text in labels_sent(provider.requests[-1]).items() if "Van Helmont" in text]
    assert staff_only
    assert set(staff_only) < set(forbidden)
    provider.reply(f"Trees 【{staff_only[0]}】 are 【12345】 green 【00001】【{staff_only[0]}, 54321】.")
    answer = Api(learner).run("Why?", headers=JSON).json()
    assert answer["response"] == "Trees are green."
    assert "citations" not in answer


def test_scripted_answers_never_show_another_place(question_box, provider):
    """True, false and forbidden labels in 250 answers, split at random."""
    known = labels(provider, question_box)
    chooser = random.Random(7)
    for number in range(250):
        pieces, true_labels = [], []
        for _statement in range(chooser.randrange(1, 6)):
            label = chooser.choice([chooser.choice(known), f"{chooser.randrange(100_000):05}"])
            form = chooser.choice(
                ["【{}】", "【{}†source】", "【 {} 】", "[【{}】]", "【{}, 99】", "【【{}】", "(【{}】)", "**a**【{}】"]
            )
            pieces.append(f"Word {form.format(label)}")
            if "99" not in form and label in known:
                true_labels.append(label)
        said = chooser.choice([". ", " ", "\n\n", "`", "$"]).join(pieces)
        cuts = sorted(chooser.choices(range(len(said) + 1), k=chooser.randrange(6)))
        provider.reply([said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True) if a < b])
        text, cited = streamed(question_box, text=f"Why {number}?")
        assert [each["unit_id"] for each in cited] == [HERE["locationId"]] * len(true_labels), said
        assert not re.search(r"【\s*\d{5}\s*】", text), said
        assert all(0 <= each["position"] <= len(text) for each in cited)
        whole = question_box().json()
        assert (whole["response"], whole.get("citations", [])) == (text, cited), said


@pytest.mark.parametrize(
    "text", ["【注意】", "【1】概要", "【2026】", "a【", "【】", "【12345", "【 12 345 】", "x  ", "`【`"]
)
def test_other_brackets_stay(question_box, provider, text):
    provider.reply(list(f"{text} end {text}"))
    assert streamed(question_box) == (f"{text} end {text}", [])


def test_a_label_that_the_course_contains_itself(question_box, provider, settings, tmp_path):
    label = labels(provider, question_box)[0]
    course = settings.AI_EXTENSIONS_STANDALONE["COURSES"][0]
    folder = tmp_path / "course"
    shutil.copytree(course["path"], folder)
    page = folder / "html" / "html_sunlight.html"
    page.write_text(f"<p>As 【54321】 and 【 {label}】 say.</p>" + page.read_text())
    settings.AI_EXTENSIONS_STANDALONE = {
        **settings.AI_EXTENSIONS_STANDALONE,
        "COURSES": [{**course, "path": folder}],
    }
    sent = labels_sent_at(provider, question_box)
    assert "As [54321】 and [ " in next(iter(sent.values()))
    assert "54321" not in sent


def test_a_passage_that_did_not_fit_cannot_be_cited(make_scope, learner, provider):
    scope = make_scope(base_filepath="base/ask.json5", slug="ask")
    everything = labels(provider, lambda: Api(learner).run("Why?", headers=JSON))
    scope.profile.content_patch = json.dumps({"processor_config": {"OpenEdXProcessor": {"char_limit": 900}}})
    scope.profile.save()
    some = labels(provider, lambda: Api(learner).run("Why?", headers=JSON))
    missing = [label for label in everything if label not in some]
    assert some
    assert missing
    provider.reply(f"Leaves【{missing[-1]}】 are green【{some[0]}】.")
    (cited,) = Api(learner).run("Why?", headers=JSON).json()["citations"]
    assert cited["position"] == len("Leaves are green")


def test_a_video_is_cited_with_its_second(question_box, provider):
    labels(provider, question_box, context=at(UNIT("unit_chlorophyll")))
    sent = labels_sent(provider.requests[-1])
    provider.reply("".join(f"x【{label}】" for label in sent))
    _text, cited = streamed(question_box, context=at(UNIT("unit_chlorophyll")))
    seconds = [each["second"] for each in cited if each["block_id"] == VIDEO]
    assert seconds[0] == 0
    assert {each["title"] for each in cited if "second" in each} == {
        "Why leaves are green: The journey of one electron"
    }
    assert len(seconds) > 1
    assert seconds == sorted(set(seconds))
    assert all("second" not in each for each in cited if each["block_id"] != VIDEO)


def test_what_a_tool_reads_can_be_cited(api, learner, make_scope, provider):
    make_scope(base_filepath="base/chat.json5", slug="chat")
    chat = Chat(learner)
    look = CallTools(ToolCall("get_location_content", {"location_id": UNIT("unit_sugar")}))
    provider.then(look, Say("Sugar."))
    chat.answer("Sugar?")
    label = re.search(r"【(\d{5})】 ## A cycle", json.dumps(provider.requests[-1], ensure_ascii=False))[1]
    provider.then(look, Say([f"The cycle 【{label}】 turns."]))
    text, (cited,) = text_and_citations(chat.events("And the cycle?"))
    assert text == "The cycle turns."
    assert cited["unit_id"] == UNIT("unit_sugar")
    # In the next turn the tool is not called, so the same place was not read.
    provider.then(Say(f"The cycle 【{label}】 turns."))
    assert text_and_citations(chat.events("And now?"))[1] == []


def test_a_conversation_keeps_them(api, learner, make_scope, provider):
    scope = make_scope(base_filepath="base/chat.json5", slug="chat")
    chat = Chat(learner)
    chat.answer("Hello")
    label = re.search(r"【(\d{5})】", json.dumps(provider.requests[-1], ensure_ascii=False))[1]
    provider.reply([f"Light 【{label}】."])
    _text, cited = text_and_citations(chat.events("Why?"))
    (*_before, last) = json.loads(chat.answer())["messages"]
    assert (last["content"], last["citations"]) == ("Light.", cited)
    chat.answer("And then?")
    assert f"Light 【{label}】." in json.dumps(provider.requests[-1], ensure_ascii=False) or api == "responses"
    # Once the profile cites nothing, labels in the history lead nowhere.
    scope.profile.content_patch = json.dumps(
        {**OFF, "actuator_config": {"UIComponents": {"response": {"config": {"greeting": "model"}}}}}
    )
    scope.profile.save()
    assert text_and_citations(chat.events("And now?")) == ("Light.", [])


def test_the_kept_answer_and_its_continuation(question_box, provider):
    label = labels(provider, question_box)[0]
    provider.reply(f"🌞 Light 【{label}】.")
    question_box("Why?")
    provider.reply(f" Water 【{label}】.")
    question_box({"text": "Go on", "continues": True}, headers=SSE).getvalue()
    kept = question_box(None, action="get_current_session_response").json()
    assert kept["response"] == "🌞 Light. Water."
    assert [(each["number"], each["position"]) for each in kept["citations"]] == [(1, 8), (1, 15)]


def test_a_repeated_request_gets_them_again(question_box, provider):
    label = labels(provider, question_box)[0]
    provider.reply([f"Light 【{label}】."])
    first = streamed(question_box, request_id="one")
    assert len(first[1]) == 1
    assert streamed(question_box, request_id="one") == first


def test_without_the_option_nothing_is_labelled(make_scope, learner, provider):
    make_scope(base_filepath="base/ask.json5", slug="ask", patch=OFF)
    provider.reply("As 【12345】 says.")
    answer = Api(learner).run("Why?", headers=JSON).json()
    assert answer["response"] == "As 【12345】 says."
    assert "【" not in provider.requests[-1]["messages"][0]["content"]


def test_a_value_that_does_not_exist(make_scope):
    with pytest.raises(ValidationError, match="citations"):
        make_scope(base_filepath="base/ask.json5", patch={"processor_config": {"LLMProcessor": {"citations": "x"}}})
