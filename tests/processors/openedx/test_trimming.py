"""Texts that must fit into a number of characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openedx_ai_extensions.processors.openedx.trimming import Piece, Section, fit

NOTICE = "[Part of the course text is left out here because it is too long.]"
ENOUGH = 3 * len(NOTICE)


def course(*sections, here=None):
    """Sections of named pieces, each piece its name repeated to 100 characters."""
    return [
        Section(
            heading=f"S{number}",
            pieces=tuple(Piece((name * 100)[:100], here=name == here) for name in names),
            here=f"S{number}" == here,
        )
        for number, names in enumerate(sections)
    ]


def kept(text):
    """Which pieces are whole in a text, and which are cut."""
    lines = [line for line in text.split("\n\n") if line and not line.startswith(("#", "["))]
    return "".join(line[0] if len(line) == 100 else f"({line[0]})" for line in lines)


@pytest.mark.parametrize(
    ("sections", "here", "near_end", "room", "expected"),
    [
        pytest.param(("ab", "cd"), "S0", False, 2, "ab", id="the current section stays, the next goes"),
        pytest.param(("ab", "cd"), "S1", False, 2, "cd", id="the current section stays, the one before goes"),
        pytest.param(("ab", "cd", "ef"), "S1", False, 3, "bcd", id="before comes first, its end nearest"),
        pytest.param(("ab", "cd", "ef"), "S1", False, 5, "abcde", id="then after, its beginning nearest"),
        pytest.param(("ab", "cd"), None, False, 2, "ab", id="no location: the first is nearest"),
        pytest.param(("ab", "cd"), None, True, 2, "cd", id="no location at the end: the last is nearest"),
        pytest.param(("abcde",), "c", False, 3, "bcd", id="a block's neighbours stay"),
        pytest.param(("abcde", "f"), "e", False, 2, "de", id="neighbours in the unit come before other units"),
    ],
)
def test_the_nearest_pieces_stay_in_reading_order(sections, here, near_end, room, expected):
    limit = room * 102 + len(sections) * 6 + len(NOTICE) + 20
    text = fit(course(*sections, here=here), limit, near_end=near_end)
    assert kept(text) == expected
    assert text.endswith(f"\n\n{NOTICE}")
    assert len(text) <= limit


def test_what_fits_is_left_alone():
    sections = course("ab", "c")
    whole = fit(sections, None)
    assert NOTICE not in whole
    assert fit(sections, len(whole)) == whole
    assert fit(sections, len(whole) - 1) != whole


def test_a_section_that_lost_everything_loses_its_heading():
    text = fit(course("ab", "cd", here="S0"), 300)
    assert "# S0" in text
    assert "# S1" not in text


def test_a_piece_that_is_too_long_by_itself_ends_at_a_sentence():
    sentences = "A leaf is green. It catches light! Does it? " * 40
    text = fit([Section("Unit", (Piece(sentences, here=True), Piece("Next.")))], 500)
    body = text.removesuffix(f"\n\n{NOTICE}")
    assert body.startswith("# Unit\n\nA leaf is green.")
    assert body.endswith((".…", "!…", "?…"))
    assert 300 < len(text) <= 500


def test_a_long_piece_leaves_room_for_the_short_ones_of_its_unit():
    sections = [Section("Unit", (Piece("Before."), Piece("word " * 1000), Piece("After.")), here=True)]
    text = fit(sections, 1000)
    assert "Before." in text
    assert "After." in text
    assert 900 < len(text) <= 1000


def test_the_block_where_one_is_goes_before_its_neighbours():
    sections = [Section("Unit", (Piece("here " * 1000, here=True), Piece("beside " * 100)))]
    text = fit(sections, 1000)
    assert "beside" not in text
    assert len(text) > 900


def test_a_short_limit_says_so_shortly():
    text = fit([Section("", (Piece("one two three four five six"),))], 20)
    assert text == "one two three…\n\n[…]"


def test_what_is_far_away_is_not_even_read():
    read = []

    def piece(number):
        return Piece(lambda: read.append(number) or f"{number} " * 50)

    sections = [Section(f"S{number}", (piece(number),)) for number in range(100)]
    fit(sections, 500, near_end=True)
    assert set(read) <= {99, 98, 97, 96, 95}
    assert len(read) == len(set(read))


PIECES = st.builds(Piece, st.text(max_size=300), st.booleans())
SECTIONS = st.lists(
    st.builds(Section, st.text(max_size=20), st.lists(PIECES, max_size=5).map(tuple), st.booleans()), max_size=5
)


@given(SECTIONS, st.integers(1, 1500), st.booleans())
def test_the_limit_is_kept_and_trimming_is_told(sections, limit, near_end):
    whole = fit(sections, None, near_end=near_end)
    text = fit(sections, limit, near_end=near_end)
    assert len(text) <= limit
    if len(whole) <= limit:
        assert text == whole
    elif limit >= ENOUGH and whole.strip():
        assert text.endswith(NOTICE)
