"""The forms in which course teams have their exports: from Studio, Git, older releases and other systems."""

from __future__ import annotations

import io
import json
import tarfile
import time
import unicodedata

import pytest
from django.test import override_settings

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.edxapp.standalone import export
from openedx_ai_extensions.edxapp.standalone.export import read_export
from openedx_ai_extensions.edxapp.standalone.olx import read_course
from tests.edxapp.exports import (
    AUTHOR,
    COURSE,
    COURSE_KEY,
    LEARNER,
    block_key,
    platform_for,
    write_directory,
    write_tar,
)

UNIT = RetrievalMode.UNIT
KEY = 'url_name="r1" org="Org" course="C1"'
TREE = '<chapter url_name="ch1"/>'
INLINE = '<chapter url_name="c"><sequential url_name="s"><vertical url_name="u1"><html url_name="h1"/></vertical>'
INLINE += "</sequential></chapter>"

FORMS = [
    pytest.param({"course.xml": f"<course {KEY}>{INLINE}</course>", "course/r1.xml": None}, id="all in one file"),
    pytest.param({"course.xml": '<course slug="r1" org="Org" course="C1"/>'}, id="a slug for a name"),
    pytest.param(
        {"course.xml": '<course url_name="r1"/>', "course/r1.xml": f'<course org="Org" course="C1">{TREE}</course>'},
        id="the key in the run's file",
    ),
    pytest.param({"course/r2.xml": "<course", "course/r3.xml": "<course/>"}, id="other runs beside it"),
    pytest.param({"course.xml": f"\ufeff<course {KEY}/>\r\n"}, id="a byte order mark and Windows line ends"),
    pytest.param({"vertical/u1.xml": f"\ufeff{COURSE['vertical/u1.xml']}".encode("utf-16-le")}, id="UTF-16"),
    pytest.param(
        {"vertical/u1.xml": f'<?xml version="1.0" encoding="windows-1252"?>{COURSE["vertical/u1.xml"]}'},
        id="a Western encoding",
    ),
    pytest.param({"policies/assets.json": "x" * 9_000_000}, id="a long list of assets"),
    pytest.param({"policies/r1/grading_policy.json": "not JSON"}, id="a grading policy that is none"),
    pytest.param({"policies/r1/policy.json": "\ufeff{}"}, id="a policy with a byte order mark"),
    pytest.param({"html/._h1.xml": b"\0\5\26\7", "__MACOSX/html/h1.xml": b"\0"}, id="what a Mac adds"),
]


@pytest.mark.parametrize("changes", FORMS)
def test_forms_of_exports(build, changes):
    platform = build(changes)
    (unit,) = platform.content(LEARNER, block_key("vertical/u1"), UNIT)
    assert unit.children[0].fields["data"] == "<p>Text 1</p>"


def test_an_empty_course(build):
    for changes in ({"course/r1.xml": "<course/>"}, {"course.xml": f"<course {KEY} start='2020-01-01'/>"}):
        platform = build({"course/r1.xml": None, **changes})
        assert platform.can_see_course(LEARNER, COURSE_KEY)
        assert not platform.course_outline(LEARNER, COURSE_KEY)


def test_the_oldest_pointers_name_the_file_of_the_content(build):
    platform = build(
        {
            "vertical/u1.xml": '<vertical><problem url_name="p" filename="old/one" showanswer="always"/></vertical>',
            "problem/old/one.xml": '<problem display_name="Old"><p>Why?</p></problem>',
        }
    )
    (unit,) = platform.content(LEARNER, block_key("problem/p"), UNIT)
    assert unit.children[0].fields["data"] == "<problem><p>Why?</p></problem>"
    assert (unit.children[0].display_name, unit.children[0].answers_visible) == ("Old", True)


def test_blocks_without_names_that_are_the_same_are_all_there(build):
    platform = build({"vertical/u1.xml": "<vertical><html>A</html><html>A</html><html>B</html></vertical>"})
    (unit,) = platform.content(LEARNER, block_key("vertical/u1"), UNIT)
    assert [child.fields["data"] for child in unit.children] == ["A", "A", "B"]
    assert len({child.usage_key for child in unit.children}) == 3


@pytest.mark.parametrize("spelled", ["Übung.html", unicodedata.normalize("NFD", "Übung.html"), "%C3%9Cbung.html"])
def test_names_are_found_however_they_are_spelled(build, spelled):
    platform = build({"html/h1.xml": '<html filename="Übung"/>', f"html/{spelled}": "Da"})
    (unit,) = platform.content(LEARNER, block_key("html/h1"), UNIT)
    assert unit.children[0].fields["data"] == "Da"


def test_links_within_the_archive_are_other_names(tmp_path):
    # As in courses that are kept in Git.
    path = tmp_path / "c.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in {**COURSE, "roots/2020.xml": COURSE["course.xml"]}.items():
            member = tarfile.TarInfo(f"course/{name}")
            member.size = len(data)
            if name != "course.xml":
                archive.addfile(member, io.BytesIO(data.encode()))
        link = tarfile.TarInfo("course/course.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "roots/2020.xml"
        archive.addfile(link)
        link = tarfile.TarInfo("course/html/h2.html")
        link.type, link.linkname = tarfile.LNKTYPE, "course/html/h1.html"
        archive.addfile(link)
    (unit,) = platform_for(path).content(LEARNER, block_key("vertical/u2"), UNIT)
    assert unit.children[0].fields["data"] == "<p>Text 1</p>"


@pytest.mark.parametrize(
    ("fields", "sees"),
    [('max_count="-1"', True), ('max_count="2"', False), ("", False)],
    ids=["all of them", "some of them", "one of them"],
)
def test_a_bank_that_gives_everybody_everything_is_open(build, fields, sees):
    platform = build(
        {
            "vertical/u1.xml": '<vertical><library_content url_name="l"/></vertical>',
            "library_content/l.xml": f'<library_content {fields}><html url_name="h1"/></library_content>',
        }
    )
    assert platform.can_see_block(LEARNER, block_key("html/h1")) is sees


def test_a_policy_decides_dates_titles_and_the_outline(tmp_path):
    policy = {
        "course/r1": {"display_name": "Ours", "tabs": [{"type": "wiki"}], "lti_passports": ["id:key:SECRET"]},
        "chapter/ch1": {"hide_from_toc": True, "format": "Homework", "graded": True},
        "vertical/u2": {"start": "2999-01-01T00:00:00Z"},
    }
    path = write_directory({**COURSE, "policies/r1/policy.json": json.dumps(policy)}, tmp_path / "c")
    course = read_course(read_export(path))
    chapter = course.blocks[block_key("chapter/ch1")]
    assert course.info.title == "Ours"
    assert [course.blocks[block_key(f"chapter/ch{n}")].in_outline for n in (1, 2)] == [False, True]
    assert (chapter.fields["format"], chapter.fields["graded"]) == ("Homework", "true")
    assert "SECRET" not in repr(course.root)
    assert not platform_for(path).can_see_block(LEARNER, block_key("html/h2"))


def drafts_of(parent: str, position: str, text: str, name: str = "d1") -> dict[str, str]:
    place = f'parent_url="{parent}" index_in_children_list="{position}"'
    return {
        f"drafts/vertical/{name}.xml": f'<vertical {place} display_name="D"><html url_name="{name}h"/></vertical>',
        f"drafts/html/{name}h.xml": f'<html filename="{name}h"/>',
        f"drafts/html/{name}h.html": text,
    }


S1 = str(block_key("sequential/s1"))
DRAFTS = [
    pytest.param(drafts_of(S1, "1", "New"), ["u1", "d1", "u2"], id="a new unit in its place"),
    pytest.param(drafts_of(S1, "9", "New"), ["u1", "u2", "d1"], id="a new unit beyond the end"),
    pytest.param(drafts_of(S1, "-1", "New"), ["u1", "u2", "d1"], id="a place that is none"),
    pytest.param(drafts_of("i4x://Org/C1/sequential/s1", "0", "New"), ["d1", "u1", "u2"], id="an old key"),
    pytest.param(drafts_of(S1, "0", "New", "u1"), ["u1", "u2"], id="changes to a published unit"),
    pytest.param(drafts_of(str(block_key("sequential/gone")), "0", "New"), ["u1", "u2"], id="an orphan"),
    pytest.param(drafts_of("None", "0", "New"), ["u1", "u2"], id="no parent"),
    pytest.param({"drafts/vertical/u1.xml": "<vertical"}, ["u1", "u2"], id="a broken draft of a published unit"),
]


@pytest.mark.parametrize(("changes", "units"), DRAFTS)
def test_authors_in_studio_see_drafts_and_nobody_else_does(build, changes, units):
    platform = build(changes)
    for person in (LEARNER, AUTHOR):
        assert [u.usage_key.block_id for u in platform.content(person, block_key("sequential/s1"), UNIT)] == [
            "u1",
            "u2",
        ]
    with override_settings(SERVICE_VARIANT="cms"):
        seen = platform.content(AUTHOR, block_key("sequential/s1"), UNIT)
        assert [unit.usage_key.block_id for unit in seen] == units
        is_placed = "New" in [child.fields["data"] for unit in seen for child in unit.children]
        assert is_placed is any(unit.display_name == "D" for unit in seen)
        learners = platform.content(LEARNER, block_key("sequential/s1"), UNIT)
        assert "D" not in [unit.display_name for unit in learners]
    # And back: what one service read is not what the other shows.
    assert len(platform.content(LEARNER, block_key("sequential/s1"), UNIT)) == 2


def test_transcripts_that_there_is_no_room_for_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MAX_TRANSCRIPTS_BYTES", 300)
    monkeypatch.setattr(export, "MAX_READ_TRANSCRIPT_BYTES", 150)
    cue = "1\n00:00:00,000 --> 00:00:01,000\nSaid\n" + "\n" * 70
    videos = "".join(f'<video url_name="v{n}"><transcript language="en" src="v{n}.srt"/></video>' for n in range(3))
    changes = {"vertical/u1.xml": f"<vertical>{videos}</vertical>", **{f"static/v{n}.srt": cue for n in range(3)}}
    for pack in (write_directory, write_tar):
        (unit,) = platform_for(pack({**COURSE, **changes}, tmp_path / pack.__name__)).content(
            LEARNER, block_key("vertical/u1"), UNIT
        )
        assert [child.fields.get("transcript") for child in unit.children] == ["Said", None, None]


def test_five_thousand_blocks_are_read_in_time(tmp_path):
    changes = {}
    for n in range(1000):
        names = [f"{n}_{m}" for m in range(4)]
        pointers = "".join(f'<html url_name="{name}"/>' for name in names)
        changes[f"vertical/v{n}.xml"] = f'<vertical display_name="{n}">{pointers}</vertical>'
        for name in names:
            changes[f"html/{name}.xml"] = f'<html filename="{name}" display_name="{name}"/>'
            changes[f"html/{name}.html"] = f"<p>{'lorem ipsum ' * 50}</p>"
    units = "".join(f'<vertical url_name="v{n}"/>' for n in range(1000))
    path = write_tar(
        {**COURSE, **changes, "sequential/s1.xml": f"<sequential>{units}</sequential>"}, tmp_path / "c.tgz"
    )
    start = time.thread_time()
    assert platform_for(path).can_see_block(LEARNER, block_key("html/999_3"))
    assert time.thread_time() - start < 20
