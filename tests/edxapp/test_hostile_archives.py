"""No archive escapes, hangs, fills the memory, or raises anything but our own error."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
import sysconfig
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openedx_ai_extensions.edxapp.standalone.tarball import Member, read_tar
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.exports import AUTHOR, COURSE_KEY, LEARNER, block_key, platform_for
from tests.edxapp.hostile_archives import END, HARMLESS, LEFT_OUT, ROWS, course_tar

MAX_SECONDS = 20
MAX_MEGABYTES = 400

_opened: list[str] | None = None


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"open", "os.scandir", "os.listdir", "socket.connect"} and _opened is not None:
        _opened.append(str(arguments[0]))


sys.addaudithook(_hear)


@contextlib.contextmanager
def opened() -> Iterator[list[str]]:
    """What is opened meanwhile, Python's own modules and its translations left out."""
    global _opened  # noqa: PLW0603  # an audit hook cannot be taken away
    _opened = paths = []
    try:
        yield paths
    finally:
        _opened = None
        own = (sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["purelib"], str(Path(__file__).parents[2]))
        paths[:] = [path for path in paths if not path.startswith((*own, "/proc/self/"))]


def _memory(field: str) -> int:
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith(f"{field}:"))


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """The process's peak grows by no more than allowed, where the system can tell."""
    try:
        # 5 puts the peak back to what is in use.
        Path("/proc/self/clear_refs").write_text("5")
        before = _memory("VmRSS")
    except OSError:
        yield
        return
    yield
    assert _memory("VmHWM") - before < MAX_MEGABYTES


@pytest.mark.parametrize(("write", "outcome"), [pytest.param(*rest, id=what) for what, rest in ROWS.items()])
def test_an_archive_is_read_or_refused_and_nothing_else_happens(tmp_path, write, outcome):
    path = tmp_path / "course.tar.gz"
    write(path)
    (tmp_path / "secret.html").write_text("SECRET")
    platform = platform_for(path)
    # Of the processor, for the machine may have other things to do.
    start = time.thread_time()
    with opened() as paths, bounded_memory():
        sees_course = platform.can_see_course(LEARNER, COURSE_KEY)
    assert time.thread_time() - start < MAX_SECONDS
    assert set(paths) <= {str(path)}
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "secret.html"]
    assert sees_course is (outcome in {HARMLESS, LEFT_OUT})
    if sees_course:
        assert platform.can_see_block(AUTHOR, block_key("html/h2"))
        assert platform.can_see_block(AUTHOR, block_key("html/h1")) is (outcome == HARMLESS)
    else:
        with pytest.raises(ProcessorError) as caught:
            platform.course_info(COURSE_KEY)
        assert outcome in str(caught.value)


def test_there_are_enough_of_them():
    assert len(ROWS) >= 60


NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=["Cc", "Cs"]), min_size=1)
    .filter(lambda part: part not in {".", ".."} and ":" not in part)
    .map(lambda part: part[:200]),
    min_size=1,
    max_size=4,
).map("/".join)


@given(
    files=st.dictionaries(NAMES, st.binary(max_size=1500), max_size=8),
    form=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    mode=st.sampled_from(["w", "w:gz"]),
)
@settings(max_examples=150)
def test_any_honest_archive_reads_as_tarfile_wrote_it(tmp_path_factory, files, form, mode):
    path = tmp_path_factory.mktemp("tar") / "c.tar"
    with tarfile.open(path, mode, format=form) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1.5
            try:
                archive.addfile(member, io.BytesIO(data))
            except ValueError:
                # USTAR has no room for long names, and then wrote nothing.
                return
    assert list(read_tar(path, wants=lambda _name, _size: True)) == [Member(*item) for item in files.items()]


@given(data=st.data())
@settings(max_examples=200)
def test_no_altered_archive_shows_anything_else(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "c.tar"
    packed = bytearray(gzip.compress(course_tar() + END, mtime=0))
    for _ in range(data.draw(st.integers(1, 8))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(packed[: data.draw(st.integers(0, len(packed)))])
    platform = platform_for(path)
    # The checksum sees to it that a course is as it was packed, or is not there.
    is_there = platform.can_see_course(LEARNER, COURSE_KEY)
    for name in ("html/h1", "html/h4", "vertical/u3"):
        assert platform.can_see_block(LEARNER, block_key(name)) is is_there
    if not is_there:
        with pytest.raises(ProcessorError):
            platform.course_info(COURSE_KEY)
