"""Videos: subtitles of any form to paragraphs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openedx_ai_extensions.processors.openedx.extraction import block_text
from tests.processors.openedx.blocks import block

ROWS = [
    pytest.param("One  two.\n", "One two.", id="plain text"),
    pytest.param(
        "1\n00:00:01,000 --> 00:00:02,500\nOne <i>two</i>\n\n2\n00:00:02,500 --> 00:00:04,000\nthree &amp; four.\n",
        "One two three & four.",
        id="SubRip",
    ),
    pytest.param("1\r\n00:00:01,000 --> 00:00:02,500\r\nOne\r\n", "One", id="SubRip with the ends of other systems"),
    pytest.param(
        "WEBVTT - Title\nKind: captions\nLanguage: en\n\nNOTE a note\n\nintro\n00:01.000 --> 00:02.000 align:start\n"
        "<v Ann>One<00:01.500><c> two</c>\n\n00:02.000 --> 00:03.000\nOne two\n",
        "One two",
        id="WebVTT, rolling",
    ),
    pytest.param("00:12\nOne\n[00:13] two\n(1:02:14) three\n0:15 - 0:20\nfour", "One two three four", id="times alone"),
    pytest.param("It was 10:30 in 1984.\n1984\nGone.", "It was 10:30 in 1984. 1984 Gone.", id="numbers that are said"),
    pytest.param(
        "[MUSIC PLAYING]\nOne\n(applause)\n\u266a \u266a\ntwo [laughs] three", "One two [laughs] three", id="sounds"
    ),
    pytest.param(
        ">> Hello.\n>> Good day.\nHow are you?\n- Fine.", "Hello.\nGood day. How are you?\nFine.", id="speakers"
    ),
    pytest.param("One\nOne\ntwo\nOne", "One two One", id="a repeated line"),
    pytest.param("{\\an8}One", "One", id="positions"),
    pytest.param("5 < 6 and 7 > 6", "5 < 6 and 7 > 6", id="signs that are no markup"),
    pytest.param(("A sentence of words. " * 60).strip(), None, id="long"),
]


@pytest.mark.parametrize(("transcript", "text"), ROWS)
def test_transcripts_read_as(transcript, text):
    found = block_text(block("video", "x", "Leaf", transcript=transcript))
    if text is None:
        first, second, third = found.removeprefix("Video: Leaf\nTranscript: ").split("\n")
        assert len(first) == len(second) == 608
        assert " ".join((first, second, third)) == transcript
    else:
        assert found == f"Video: Leaf\nTranscript: {text}"


@pytest.mark.parametrize(
    ("video", "text"),
    [
        pytest.param(block("video", transcript="One."), "Video:\nTranscript: One.", id="no title"),
        pytest.param(
            block("video", "x", "Video", transcript="One."), "Video:\nTranscript: One.", id="no title of its own"
        ),
        pytest.param(block("video", "x", "Leaf"), "Video: Leaf", id="no transcript"),
        pytest.param(
            block("video", "x", "Leaf", transcript="1\n00:00:01,0 --> 00:00:02,0\n"), "Video: Leaf", id="silent"
        ),
        pytest.param(block("video", transcript=None), "", id="neither"),
    ],
)
def test_videos_without_everything(video, text):
    assert block_text(video) == text


WORDS = st.lists(st.text("abcdefg", min_size=1), min_size=1, max_size=40, unique=True)


@given(WORDS, st.integers(1, 5))
def test_every_word_that_is_said_is_told_in_order(words, per_cue):
    cues = [words[at : at + per_cue] for at in range(0, len(words), per_cue)]
    subtitles = "\n".join(
        f"{n}\n00:{n:02}:00,000 --> 00:{n:02}:30,000\n{' '.join(cue)}\n" for n, cue in enumerate(cues, 1)
    )
    assert block_text(block("video", transcript=subtitles)).split()[2:] == words
