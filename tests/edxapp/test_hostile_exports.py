"""Exports that are broken, or written to do harm."""

from __future__ import annotations

import contextlib
import gzip
import io
import logging
import os
import tarfile
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.edxapp.standalone import export, tarball
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


def member(name, data=b"<html/>", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, data


def archive(path, *extra):
    """The sample course with more members behind it."""
    write_tar(COURSE, path, mode="w")
    with tarfile.open(path, "a") as tar:
        for info, data in extra:
            tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return path


def why_not(path):
    """What the platform says of an export that it does not read; people see nothing of it."""
    platform = platform_for(path, learners="*")
    assert not platform.can_see_course(LEARNER, COURSE_KEY)
    assert not platform.can_see_block(AUTHOR, block_key("html/h1"))
    with pytest.raises(ProcessorError) as caught:
        platform.course_info(COURSE_KEY)
    return str(caught.value)


HOSTILE = [
    pytest.param(member("../../outside.xml"), id="climbs out"),
    pytest.param(member("course/../../outside.xml"), id="climbs out from within"),
    pytest.param(member("/etc/outside.xml"), id="absolute"),
    pytest.param(member("course\\..\\outside.xml"), id="backslashes"),
    pytest.param(
        member("course/html/link.html", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), id="symbolic link"
    ),
    pytest.param(member("course/html/link.html", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd"), id="hard link"),
    pytest.param(member("course/html/null.html", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3), id="device"),
    pytest.param(member("course/html/pipe.html", b"", type=tarfile.FIFOTYPE), id="pipe"),
]


@pytest.mark.parametrize("extra", HOSTILE)
def test_a_hostile_member_spoils_the_archive(tmp_path, extra):
    assert why_not(archive(tmp_path / "c.tar", extra)) == "The course archive is not safe to read."


def test_the_same_archive_without_it_reads(tmp_path):
    path = archive(tmp_path / "c.tar", member("course/html/more.html"))
    assert platform_for(path).can_see_course(LEARNER, COURSE_KEY)


def test_a_bomb_is_refused_without_being_unpacked(tmp_path):
    path = tmp_path / "bomb.tar.gz"
    info = tarfile.TarInfo("course/static/film.mp4")
    info.size = 2 * tarball.MAX_UNPACKED_BYTES
    with gzip.open(path, "wb") as packed:
        packed.write(info.tobuf())
        packed.write(bytes(1024**2))
    assert why_not(path) == "The course archive is not safe to read."


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME], ids=["pax", "long name"])
def test_a_bomb_in_a_header_does_not_fill_the_memory(tmp_path, kind):
    path, size = tmp_path / "bomb.tar.gz", 200 * 1024**2
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(info.tobuf())
        for _ in range(size // 1024**2):
            packed.write(bytes(1024**2))
    tracemalloc.start()
    try:
        assert why_not(path) == "The course archive is not safe to read."
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024**2
    finally:
        tracemalloc.stop()


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
    assert "too large" in why_not(path) or "not safe" in why_not(path)


def test_what_is_not_text_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MAX_FILE_BYTES", 1000)
    files = {**COURSE, "static/film.mp4": b"x" * 5000, "static/page.html": b"x" * 5000, "drafts/x.html": b"x" * 5000}
    for pack in (write_directory, write_tar):
        assert platform_for(pack(files, tmp_path / pack.__name__)).can_see_course(LEARNER, COURSE_KEY)


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    path = write_tar(COURSE, tmp_path / "c.tar.gz")
    monkeypatch.setattr(tarball, "MAX_MEMBERS", 10)
    assert why_not(path) == "The course archive is not safe to read."


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 not a tar", id="another kind of file"),
        pytest.param(b"\x1f\x8b\x08\x00 not gzip", id="broken gzip"),
        pytest.param(gzip.compress(b"not a tar" * 200), id="gzip of something else"),
    ],
)
def test_what_is_no_archive_says_so(tmp_path, data):
    path = tmp_path / "c.tar.gz"
    path.write_bytes(data)
    assert why_not(path) in {
        "The course archive is damaged or not a tar archive.",
        "The course export holds no course.xml.",
    }


def test_a_cut_archive_says_so(tmp_path):
    path = write_tar({**COURSE, "html/noise.html": os.urandom(50_000)}, tmp_path / "c.tar.gz")
    path.write_bytes(path.read_bytes()[:-20_000])
    assert why_not(path) == "The course archive is damaged or not a tar archive."


def test_a_missing_export_says_so(tmp_path):
    assert why_not(tmp_path / "nothing.tar.gz") == "The course export cannot be read."


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_archive_breaks_the_reader(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "c.tar"
    whole = bytearray(write_tar(COURSE, path, mode="w").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, 8000))] = data.draw(st.integers(0, 255))
    path.write_bytes(gzip.compress(whole) if data.draw(st.booleans()) else whole)
    platform = platform_for(path)
    platform.can_see_block(LEARNER, block_key("html/h1"))
    with contextlib.suppress(ProcessorError):
        platform.content(AUTHOR, block_key("vertical/u1"), RetrievalMode.UP_TO_CURRENT_UNIT)


def test_links_in_a_directory_are_not_followed(tmp_path):
    secret = tmp_path / "secret.html"
    secret.write_text("SECRET")
    outside = write_directory({"h9.xml": '<html filename="h9"/>'}, tmp_path / "outside")
    path = write_directory({**COURSE, "html/h1.html": ""}, tmp_path / "course")
    (path / "html/h1.html").unlink()
    (path / "html/h1.html").symlink_to(secret)
    (path / "problem").symlink_to(outside, target_is_directory=True)
    platform = platform_for(path)
    assert not platform.can_see_block(AUTHOR, block_key("html/h1"))
    assert platform.can_see_block(AUTHOR, block_key("html/h2"))


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
