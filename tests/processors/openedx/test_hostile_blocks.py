"""Content that is made to hurt: each block is read in linear time, and reading never raises."""

from __future__ import annotations

import time

import pytest

from openedx_ai_extensions.processors.openedx.extraction import block_text
from tests.processors.openedx.blocks import block

DEEP = 100_000
ENTITIES = "".join("<!ENTITY a{} '{}'>".format(n, f"&a{n - 1};" * 10) for n in range(1, 30))
HOSTILE = {
    "deep elements": "start" + "<div>" * DEEP + "x" + "</div>" * DEEP,
    "deep lists": "<ul><li>" * DEEP + "x",
    "deep tables": "<table><tr><td>" * DEEP + "x",
    "deep tables around much": "<table><tr><td>" * 80 + "word " * 50_000,
    "deep formulas": "<math>" + "<mfrac><mi>a</mi>" * DEEP,
    "formulas within limits": "<math>" + "<msup><mrow>" * 100 + "<mi>a</mi>" * 20_000,
    "deep groups to sort": "<problem>" + "<choicegroup shuffle='true'>" * 240 + "<choice>x</choice>" * 15_000,
    "an entity bomb": f'<!DOCTYPE p [<!ENTITY a0 "ha">{ENTITIES}]><problem><p>a &a29;</p></problem>',
    "entities from elsewhere": '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><problem><p>&a;</p></problem>',
    "a long attribute": f"<p title='{'x' * 5_000_000}'>x</p>",
    "a long choice": '<problem><optioninput options="(' + "'a'," * 300_000 + ')"/></problem>',
    "options without an end": "<problem><optioninput options=\"('" + "a\\" * 140_000 + ')"/></problem>',
    "many attributes": "<p " + " ".join(f"a{n}='1'" for n in range(200_000)) + ">x</p>",
    "null bytes": "\0" * 5_000_000 + "x\0<p>\0y</p>",
    "control characters": "".join(map(chr, range(32))) * 10_000,
    "lone surrogates": "\ud800" * 1_000_000,
    "much text": "word " * 1_000_000,
    "one long word": "a" * 5_000_000,
    "many elements": "<p>x</p>" * 600_000,
    "many labels": "<problem>" + "".join(f'<textline label="l{n}"/>' for n in range(30_000)) + "</problem>",
    "beginnings of tags": "<" * 5_000_000,
    "beginnings of comments": "<!--" * 1_000_000,
    "beginnings of declarations": "<!DOCTYPE [" * 300_000,
    "beginnings of solutions": "<problem>" + "<solution>" * 200_000,
    "ends of solutions": "<problem>" + "</solution>" * 200_000,
    "signs of entities": "&" * 5_000_000,
    "wide cells": "<table><tr><td rowspan=99999999999 colspan=99999999999>a</td></tr>" + "<tr><td>b</td></tr>" * 20_000,
    "brackets": "[" * 1_000_000,
    "spaces": " " * 2_000_000 + "x" + "\n" * 2_000_000,
    "styles": "<p style='" + "display " * 300_000 + "'>x</p>",
    "subtitles": "1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 100_000,
    "times": "00:00 " * 500_000,
    "embedded": ";base64," * 500_000,
}
FIELDS = {
    "html": ("data",),
    "problem": ("data",),
    "video": ("transcript",),
    "acme": ("text", "content", "description"),
    "drag-and-drop-v2": ("data", "question_text"),
    "openassessment": ("prompt",),
    "annotatable": ("data",),
}


@pytest.mark.parametrize("category", FIELDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_it_takes_seconds_at_most(name, category):
    given = block(category, **dict.fromkeys(FIELDS[category], HOSTILE[name]))
    begin = time.thread_time()
    text = block_text(given)
    assert time.thread_time() - begin < 15
    assert len(text) < 700_000
    assert "root:" not in text


@pytest.mark.parametrize("depth", [100, 1_000_000])
def test_structures_without_end(depth):
    data = '{"zones":' * depth + "[" * depth
    assert block_text(block("drag-and-drop-v2", data=data)) == ""


def test_a_list_without_end_is_cut():
    answers = [[str(n), {"label": f"Choice {n}"}] for n in range(100_000)]
    assert len(block_text(block("poll", question="Which?", answers=answers)).splitlines()) == 502
