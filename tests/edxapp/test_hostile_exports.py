"""Exports that are broken, or written to do harm."""

from __future__ import annotations

import logging
import os

import pytest

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.edxapp.standalone import export
from openedx_ai_extensions.exceptions import ProcessorError
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


def why_not(path):
    """What the platform says of an export that it does not read; people see nothing of it."""
    platform = platform_for(path, learners="*")
    assert not platform.can_see_course(LEARNER, COURSE_KEY)
    assert not platform.can_see_block(AUTHOR, block_key("html/h1"))
    with pytest.raises(ProcessorError) as caught:
        platform.course_info(COURSE_KEY)
    return str(caught.value)


@pytest.mark.parametrize("pack", [write_directory, write_tar])
@pytest.mark.parametrize(
    ("bound", "value"),
    [
        pytest.param("MAX_FILE_BYTES", 1000, id="one large file"),
        pytest.param("MAX_TEXT_BYTES", 2000, id="many small ones"),
        pytest.param("MAX_FILES", 15, id="too many"),
    ],
)
def test_texts_are_bounded(tmp_path, monkeypatch, pack, bound, value):
    files = {**COURSE, "html/large.html": "x" * 1500}
    path = pack(files, tmp_path / "c")
    assert platform_for(path).can_see_course(LEARNER, COURSE_KEY)
    monkeypatch.setattr(export, bound, value)
    assert "too large" in why_not(path)


def test_what_is_not_text_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MAX_FILE_BYTES", 1000)
    files = {**COURSE, "static/film.mp4": b"x" * 5000, "static/page.html": b"x" * 5000, "drafts/x.html": b"x" * 5000}
    for pack in (write_directory, write_tar):
        assert platform_for(pack(files, tmp_path / pack.__name__)).can_see_course(LEARNER, COURSE_KEY)


def test_a_missing_export_says_so(tmp_path):
    assert why_not(tmp_path / "nothing.tar.gz") == (
        "The course export cannot be read: it is missing, or may not be opened."
    )


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "course.tar.gz")
    assert "cannot be read" in why_not(tmp_path / "course.tar.gz")
    path = write_directory({**COURSE, "html/h1.html": ""}, tmp_path / "course")
    (path / "html/h1.html").unlink()
    os.mkfifo(path / "html/h1.html")
    assert platform_for(path).can_see_block(LEARNER, block_key("html/h2"))


def test_folders_nested_without_end_are_left_alone(tmp_path):
    path = write_directory(COURSE, tmp_path / "course")
    deep = path / "html"
    while len(str(deep)) < 4000:
        deep /= "d" * 100  # few levels: whoever clears up goes down them one by one
        deep.mkdir()
    assert platform_for(path).can_see_block(LEARNER, block_key("html/h1"))


def test_links_in_a_directory_lead_nowhere_else(tmp_path):
    secret = tmp_path / "secret.html"
    secret.write_text("SECRET")
    outside = write_directory({"h9.xml": '<html filename="h9"/>'}, tmp_path / "outside")
    path = write_directory({**COURSE, "html/h1.html": ""}, tmp_path / "course")
    (path / "html/h1.html").unlink()
    (path / "html/h1.html").symlink_to(secret)
    (path / "problem").symlink_to(outside, target_is_directory=True)
    (path / "html/h3.html").unlink()
    (path / "html/h3.html").symlink_to("h4.html")
    platform = platform_for(path)
    assert not platform.can_see_block(AUTHOR, block_key("html/h1"))
    assert platform.can_see_block(AUTHOR, block_key("html/h2"))
    # A link to another file of the export is only another name for it.
    (unit,) = platform.content(AUTHOR, block_key("vertical/u3"), RetrievalMode.UNIT)
    assert unit.children[0].fields["data"] == "<p>Text 4</p>"


@pytest.mark.parametrize("name", ["../../../secret", "/etc/passwd", "..", "h1\x00"])
def test_a_file_name_in_the_olx_leads_nowhere_else(build, tmp_path, name):
    (tmp_path / "secret.html").write_text("SECRET")
    escaped = name.replace("\x00", "&#65533;")
    platform = build({"html/h1.xml": f'<html filename="{escaped}"/>'})
    assert not platform.can_see_block(AUTHOR, block_key("html/h1"))


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BROKEN = [
    pytest.param("<html", id="cut off"),
    pytest.param("", id="empty"),
    pytest.param("just text", id="no XML"),
    pytest.param("<video/>", id="another kind of block"),
    pytest.param("<html>&nbsp;</html>", id="an entity nobody declared"),
    pytest.param('<!DOCTYPE html SYSTEM "http://127.0.0.1:1/x.dtd"><html/>', id="a document type elsewhere"),
    pytest.param('<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html>&x;</html>', id="an outside entity"),
    pytest.param(f'<!DOCTYPE html [<!ENTITY l0 "lol">{LAUGHS}]><html>&l9;</html>', id="a billion laughs"),
    pytest.param(f'<!DOCTYPE html [<!ENTITY l0 "lol">{LAUGHS}]><html a="&l9;"/>', id="the same in an attribute"),
    pytest.param(
        "<!-- <html> --><!DOCTYPE html [<!ENTITY x 'y'>]><html>&x;</html>", id="a document type behind a comment"
    ),
    pytest.param("<?p <html> ?>\n<!DOCTYPE html [<!ENTITY x 'y'>]><html>&x;</html>", id="behind an instruction"),
    pytest.param("<html>" + "<b>" * 5000, id="too deep"),
    pytest.param('<?xml version="1.0"?><html>\xff</html>'.encode("latin-1"), id="not UTF-8"),
    pytest.param("<!DOCTYPE html [<!ENTITY x 'y'>]><html>&x;</html>".encode("utf-16"), id="UTF-16"),
    pytest.param('<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE html+AD4-<html/>', id="UTF-7"),
]


@pytest.mark.parametrize("xml", BROKEN)
def test_a_broken_block_is_left_out_and_the_rest_stands(build, caplog, xml):
    platform = build(
        {
            "vertical/u1.xml": '<vertical><html url_name="h1"/><html url_name="more">Still here</html></vertical>',
            "html/h1.xml": xml,
        }
    )
    with caplog.at_level(logging.WARNING):
        (unit,) = platform.content(LEARNER, block_key("vertical/u1"), RetrievalMode.UNIT)
    assert [child.fields["data"] for child in unit.children] == ["Still here"]
    assert "block='html/h1'" in caplog.text
    assert "ENTITY" not in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"course.xml": None}, id="no course.xml"),
        pytest.param({"course.xml": "<course"}, id="broken course.xml"),
        pytest.param({"course.xml": "<course/>"}, id="course.xml without a key"),
        pytest.param({"course.xml": '<course url_name="r 1" org="Org" course="C1"/>'}, id="course.xml with a bad key"),
        pytest.param({"course/r1.xml": None}, id="no definition of the run"),
        pytest.param({"course/r1.xml": "<course>"}, id="broken definition of the run"),
        pytest.param({"policies/r1/policy.json": "{"}, id="a policy that may have hidden blocks"),
        pytest.param({"policies/r1/policy.json": "[" * 100_000}, id="a policy nested too deep"),
        pytest.param({"policies/r1/policy.json": '{"vertical/u1": true}'}, id="a policy that is none"),
    ],
)
def test_a_course_that_cannot_be_read_shows_nothing(build, changes):
    platform = build(changes)
    assert not platform.can_see_course(AUTHOR, COURSE_KEY)
    with pytest.raises(ProcessorError, match="The course export"):
        platform.course_outline(AUTHOR, COURSE_KEY)


IN_ITSELF = '<wrapper><wrapper url_name="w"/><html url_name="h1"/></wrapper>'
TOO_DEEP = f"<vertical>{'<wrapper>' * 200}{'</wrapper>' * 200}<html url_name='h1'/></vertical>"


@pytest.mark.parametrize(
    ("unit", "wrapper"),
    [
        pytest.param('<vertical><wrapper url_name="w"/></vertical>', IN_ITSELF, id="a block in itself"),
        pytest.param(TOO_DEEP, None, id="nested without end"),
        pytest.param(
            '<vertical><html url_name="h1"/><html url_name="h1"/></vertical>', None, id="the same block twice"
        ),
    ],
)
def test_odd_trees_end(build, unit, wrapper):
    platform = build({"vertical/u1.xml": unit, "wrapper/w.xml": wrapper})
    assert platform.can_see_block(LEARNER, block_key("html/h1"))
    assert len(platform.content(LEARNER, block_key("vertical/u1"), RetrievalMode.UNIT)) == 1
