"""A list of words: whole words and phrases, whatever their case and accents, in any script, whole or as they arrive."""

from __future__ import annotations

import random
import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.moderation import Direction, Verdict, WordList
from openedx_ai_extensions.moderation.words import folded

ENTRIES = [
    "kraxel", "purple elephant", "Straße", "naïve", "ass", "night-owl", "new york city", "坏蛋", "क्त", "Ёлка", "don't",
]  # fmt: skip


class Refused(Exception):
    """The verdict of the test's own judge."""


def refuse(verdict: Verdict) -> None:
    if verdict.is_refused:
        raise Refused


def word_list(**options) -> WordList:
    return WordList("words", options or {"words": ENTRIES})


@pytest.mark.parametrize(
    ("text", "is_listed"),
    [
        pytest.param("You kraxel!", True, id="a word"),
        pytest.param("KRAXEL", True, id="in capitals"),
        pytest.param("krâxèl", True, id="with accents"),
        pytest.param("kra\u0301xel", True, id="with accents of their own"),
        pytest.param("ｋｒａｘｅｌ", True, id="in wide letters"),
        pytest.param("kra\u00adxel", True, id="with a soft hyphen in it"),
        pytest.param("kr\u200baxel\ufe0f", True, id="with what nobody sees in it"),
        pytest.param("_kraxel_", True, id="in italics"),
        pytest.param("kraxels", False, id="the beginning of a word"),
        pytest.param("unkraxel", False, id="the end of a word"),
        pytest.param("kraxel2", False, id="with a digit"),
        pytest.param("assess the class", False, id="within harmless words"),
        pytest.param("STRASSE", True, id="sharp s"),
        pytest.param("naive", True, id="without the accent that the list has"),
        pytest.param("purple  \n elephant", True, id="a phrase over a line's end"),
        pytest.param("purple, elephant", True, id="a phrase with a comma"),
        pytest.param("purple purple elephant", True, id="a phrase after a false start"),
        pytest.param("purple\u2029elephant", False, id="a phrase over two texts"),
        pytest.param("purple old elephant", False, id="a phrase with a word in between"),
        pytest.param("purpleelephant", False, id="a phrase without space"),
        pytest.param("night owl", True, id="a hyphen is a space"),
        pytest.param("new york new york city", True, id="a phrase within its own beginning"),
        pytest.param("new york", False, id="a part of a phrase"),
        pytest.param("你是坏蛋啊", True, id="script without spaces"),
        pytest.param("坏人", False, id="one of two characters"),
        pytest.param("क्त", True, id="Hindi"),
        pytest.param("कत", False, id="Hindi, another letter without the virama"),
        pytest.param("елка", True, id="Cyrillic"),
        pytest.param("I don’t.", True, id="another apostrophe"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_what_is_listed(text, is_listed):
    run = Run(user=None)
    moderator = word_list()
    assert moderator.check(text, Direction.AFTER, run).is_refused is is_listed
    # Character by character it is the same, and of a listed word nothing has been shown.
    screen = moderator.screen(run, refuse)
    shown = ""
    try:
        for character in text:
            shown += screen.feed(character)
        shown += screen.end()
    except Refused:
        assert is_listed
        assert not moderator.check(shown, Direction.AFTER, run).is_refused
    else:
        assert not is_listed
        assert shown == text


def one_by_one(first: str) -> str:
    """The word in letters that stand in the order of the alphabet, from this one on."""
    return "".join(chr(ord(first) + ord(letter) - ord("a")) for letter in "kraxel")


TRICKS = {
    "wide": one_by_one("ａ"),
    "mathematical, bold": one_by_one("𝐀"),
    "mathematical, of a script": one_by_one("𝓪"),
    "mathematical, of black letter": one_by_one("𝖆"),
    "mathematical, struck twice": one_by_one("𝕒"),
    "of a typewriter": one_by_one("𝚊"),
    "in circles": one_by_one("ⓐ"),
    "in black circles": one_by_one("🅐"),
    "in squares": one_by_one("🄰"),
    "in black squares": one_by_one("🅰"),
    "in black squares that look like pictures": "\ufe0f".join(one_by_one("🅰")),
    "in brackets": one_by_one("⒜"),
    "in brackets, capitals": one_by_one("🄐"),
    "of flags": one_by_one("🇦"),
    "small capitals": "ᴋʀᴀxᴇʟ",
    "raised": "ᵏʳᵃˣᵉˡ",
    "with strokes of their own": "ꝁɍⱥxɇł",
    "with hooks": "ƙɽaxelﾠ",
    "struck through": "k\u0336r\u0336a\u0336x\u0336e\u0336l\u0336",
    "with a solidus": "k\u0338r\u0337axel",
    "with a line": "kr\u20d2ax\u20d3el",
    "with a ring": "kr\u20d8axel\u20e5",
    "in signs of prohibition": "k\u20e0r\u20e0a\u20e0x\u20e0e\u20e0l\u20e0",
    "in circles of their own": "k\u20ddr\u20dea\u20dfx\u20e2e\u20e3l\u20e4",
    "with numbers of old Cyrillic around": "kr\u0488ax\u0489el",
    "with letters above": "kr\u0363axel",
}


@pytest.mark.parametrize("text", TRICKS.values(), ids=TRICKS)
def test_letters_that_only_look_different_are_the_same(text):
    assert word_list().check(f"You {text}!", Direction.AFTER, Run(user=None)).is_refused


@pytest.mark.parametrize("letter", ["क", "か", "ก", "ب", "я", "ß", "ə", "ɐ", "\U000e0061", "\u0363", "☀", "⊞"])
def test_other_letters_stay_what_they_are(letter):
    latin = [plain for plain, _kind in folded(letter) if "a" <= plain <= "z"]
    assert latin == (["s", "s"] if letter == "ß" else [])


@pytest.mark.parametrize(
    ("arrived", "shown"),
    [
        pytest.param("Green leaves ", "Green leaves ", id="nothing is held where nothing can come of it"),
        pytest.param("Green lea", "Green lea", id="nor in the middle of another word"),
        pytest.param("Green kra", "Green ", id="the beginning of a word"),
        pytest.param("Green kraxel", "Green ", id="a whole word that may go on"),
        pytest.param("Green kraxels", "Green kraxels", id="it went on"),
        pytest.param("A purple ", "A ", id="the beginning of a phrase"),
        pytest.param("A purple e", "A ", id="more of it"),
        pytest.param("A purple o", "A purple o", id="it became something else"),
    ],
)
def test_only_what_may_become_a_hit_is_held_back(arrived, shown):
    screen = word_list().screen(Run(user=None), refuse)
    assert screen.feed(arrived) == shown


def test_cut_anywhere_it_says_the_same():
    moderator = word_list()
    run = Run(user=None)
    random.seed(5)
    pieces = ["kraxel", "kra", "purple", " ", "elephant", ", ", "坏", "蛋", "new", "york", "city", "\u0301", "x"]
    for _number in range(300):
        text = "".join(random.choices(pieces, k=8))
        screen, shown, is_listed = moderator.screen(run, refuse), "", False
        try:
            for start in range(0, len(text), 5):
                shown += screen.feed(text[start : start + 5])
            shown += screen.end()
        except Refused:
            is_listed = True
        assert is_listed == moderator.check(text, Direction.AFTER, run).is_refused, text
        assert text.startswith(shown)
        assert is_listed or shown == text


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "kraxe " * 30_000, "purple " * 30_000, "k" + "\u0301" * 200_000, "new york " * 20_000],
    ids=["one word", "near misses", "beginnings", "accents", "long beginnings"],
)
def test_hostile_texts_take_linear_time(text):
    began = time.thread_time()
    screen = word_list().screen(Run(user=None), refuse)
    for start in range(0, len(text), 50):
        screen.feed(text[start : start + 50])
    screen.end()
    assert time.thread_time() - began < 15


def test_words_from_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("# not nice\nkraxel  # since 2020\n\npurple elephant\n", encoding="utf-8")
    moderator = word_list(words=["other"], file=str(path))
    run = Run(user=None)
    texts = ("kraxel", "purple elephant", "other", "since", "nice")
    assert [moderator.check(text, Direction.BEFORE, run).is_refused for text in texts] == [True] * 3 + [False] * 2


@pytest.mark.parametrize(
    "options",
    [{"words": []}, {"words": "kraxel"}, {"words": [7]}, {"words": ["***"]}, {"file": "/no/such/file"}],
    ids=["empty", "a text", "numbers", "no letters", "no file"],
)
def test_a_list_that_cannot_be_used(options):
    with pytest.raises(ImproperlyConfigured) as caught:
        word_list(**options)
    assert "kraxel" not in str(caught.value)
