"""Archives that are damaged, or written to do harm, each with what becomes of it.

A row is a function that writes the archive and the outcome: part of the error's words, or one of the two constants.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.edxapp.exports import COURSE, write_tar

LEFT_OUT = "the block is left out, and the rest stands"
HARMLESS = "nothing happens"

MB = 1024**2
END = bytes(1024)

Write = Callable[[Path], object]
ROWS: dict[str, tuple[Write, str]] = {}


def row(what: str, outcome: str) -> Callable[[Write], Write]:
    def add(write: Write) -> Write:
        ROWS[what] = (write, outcome)
        return write

    return add


def course_tar() -> bytes:
    """The sample course as a plain archive, without its end."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in COURSE.items():
            member = tarfile.TarInfo(f"course/{name}")
            member.size = len(data.encode())
            archive.addfile(member, io.BytesIO(data.encode()))
        return buffer.getvalue()


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """One header, with nothing before or behind it."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info.tobuf(tarfile.GNU_FORMAT)


def extension(kind: bytes, data: bytes) -> bytes:
    return header("x", len(data), kind) + data + bytes(-len(data) % 512)


def pax(keyword: str, value: str) -> bytes:
    record = f" {keyword}={value}\n".encode()
    length = len(record)
    while len(str(length)) + len(record) != length:
        length = len(str(length)) + len(record)
    return extension(tarfile.XHDTYPE, str(length).encode() + record)


def pack(path: Path, *pieces: bytes | Iterator[bytes]) -> None:
    """The sample course and more blocks behind it, packed."""
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(course_tar())
        for piece in pieces:
            for data in [piece] if isinstance(piece, bytes) else piece:
                packed.write(data)
        packed.write(END)


def zeros(megabytes: int) -> Iterator[bytes]:
    return (bytes(MB) for _ in range(megabytes))


OUTSIDE = "a path in it leads outside"
NO_FILE = "neither a file nor a folder"
MEMBERS = {
    "a path that climbs out": (header("../../outside.xml"), OUTSIDE),
    "a path that climbs out from within": (header("course/../../outside.xml"), OUTSIDE),
    "an absolute path": (header("/etc/outside.xml"), OUTSIDE),
    "a path with backslashes": (header("course\\..\\outside.xml"), OUTSIDE),
    "a path with a drive": (header("C:/outside.xml"), OUTSIDE),
    "an absolute path in a pax header": (pax("path", "/etc/outside.xml") + header("x"), OUTSIDE),
    "a climbing path in a long name": (extension(b"L", b"../" * 50 + b"x.xml") + header("x"), OUTSIDE),
    "a name of a megabyte": (pax("path", "x" * (MB - 100)) + header("x"), "is no name"),
    "a symbolic link to a file of the system": (header("course/html/h1.html", 0, b"2", "/etc/passwd"), OUTSIDE),
    "a symbolic link that climbs out": (header("course/html/h1.html", 0, b"2", "../../../secret.html"), OUTSIDE),
    "a symbolic link to a folder outside": (header("course/html", 0, b"2", "/etc"), OUTSIDE),
    "a hard link to a file of the system": (header("course/html/h1.html", 0, b"1", "/etc/passwd"), OUTSIDE),
    "a hard link that climbs out": (header("course/html/h1.html", 0, b"1", "../secret.html"), OUTSIDE),
    "a character device": (header("course/html/null.html", 0, b"3"), NO_FILE),
    "a block device": (header("course/html/disk.html", 0, b"4"), NO_FILE),
    "a pipe": (header("course/html/pipe.html", 0, b"6"), NO_FILE),
    "a sparse file": (header("course/html/h1.html", 0, b"S"), NO_FILE),
    "a sparse file in a pax header": (pax("GNU.sparse.size", str(10**15)) + header("course/a.html"), NO_FILE),
    "a kind of file nobody knows": (header("course/html/h1.html", 0, b"Z"), NO_FILE),
    "a size of eight exabytes": (header("course/static/film.mp4", 2**63 - 1), "too large"),
    "a size beyond all numbers": (pax("size", "9" * 400) + header("course/a.html"), "a header is broken"),
    "a negative size": (pax("size", "-512") + header("course/a.html"), "a header is broken"),
    "a size that is not there": (header("course/static/film.mp4", 900 * MB), "it is cut off"),
    "a pax header that promises more": (extension(b"x", b"999999 path=x\n") + header("x"), "a header is broken"),
    # Hours, to a pax parser that looks for a number at each place.
    "a pax header of digits": (extension(b"x", b"1" * (MB - 1)) + header("x"), "a header is broken"),
    "a chain of headers": (extension(b"L", b"x") * 5000 + header("x"), "its headers are too large"),
    "a link to itself": (header("course/html/h8.html", 0, b"2", "h8.html"), HARMLESS),
    "a link to nothing": (header("course/html/h9.html", 0, b"2", "nothing.html"), HARMLESS),
    "an archive in the archive": (header("course/x.tar", len(course_tar())) + course_tar(), HARMLESS),
    "eight megabytes of subtitles": (header("course/static/a.srt", 9 * MB) + bytes(9 * MB), HARMLESS),
    "one large page": (header("course/html/h9.html", 9 * MB) + b"x" * 9 * MB, "too large to be read"),
}  # fmt: skip
for what, (blocks, outcome) in MEMBERS.items():
    row(what, outcome)(lambda path, blocks=blocks: pack(path, blocks))


@row("a bomb by its size", "too large")
def _(path: Path) -> None:
    pack(path, header("course/static/film.mp4", 2048 * MB), zeros(10))


@row("a bomb by its ratio", "far more than its size")
def _(path: Path) -> None:
    pack(path, header("course/static/film.mp4", 200 * MB), zeros(200))


@row("a bomb behind the end of the archive", "far more than its size")
def _(path: Path) -> None:
    pack(path, END, zeros(200))


@row("a bomb by the number of its files", "too many files")
def _(path: Path) -> None:
    pack(path, header("course/static/x") * 100_001)


@row("a bomb in a pax header", "its headers are too large")
def _(path: Path) -> None:
    pack(path, header("x", 200 * MB, b"x"), zeros(200))


@row("a bomb in a long name", "its headers are too large")
def _(path: Path) -> None:
    pack(path, header("x", 200 * MB, b"L"), zeros(200))


@row("an archive in nothing but an archive", "no course.xml")
def _(path: Path) -> None:
    write_tar({"course.tar": course_tar() + END}, path)


@row("gzip in gzip", "damaged or not a tar archive")
def _(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.compress(course_tar() + END)))


@row("a gzip header without end", "damaged or not a tar archive")
def _(path: Path) -> None:
    path.write_bytes(b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 20 * MB)


@row("thousands of empty gzip streams", "too many pieces")
def _(path: Path) -> None:
    path.write_bytes(gzip.compress(b"") * 50_000)


def altered(change: Callable[[bytearray], object]) -> Write:
    """The sample course, packed, with some bytes changed."""

    def write(path: Path) -> None:
        noise = header("course/static/noise.bin", 50_000) + os.urandom(50_176)
        packed = bytearray(gzip.compress(course_tar() + noise + END))
        change(packed)
        path.write_bytes(packed)

    return write


def flip(position: int) -> Callable[[bytearray], None]:
    def change(packed: bytearray) -> None:
        packed[position] ^= 0xFF

    return change


row("cut off", "it is cut off")(altered(lambda packed: packed.__delitem__(slice(-20_000, None))))
row("cut off within its checksum", "it is cut off")(altered(lambda packed: packed.__delitem__(slice(-6, None))))
row("a wrong checksum", "its contents were altered")(altered(flip(-8)))
row("a wrong length", "its contents were altered")(altered(flip(-1)))
row("a byte changed in the middle", "damaged")(altered(flip(-25_000)))
row("something behind it", "its contents were altered")(altered(lambda packed: packed.extend(b"<script>")))
row("zeros behind it", HARMLESS)(altered(lambda packed: packed.extend(bytes(100_000))))


def plain(change: Callable[[bytearray], object]) -> Write:
    def write(path: Path) -> None:
        archive = bytearray(course_tar() + END)
        change(archive)
        path.write_bytes(archive)

    return write


row("a plain archive cut off", "it is cut off")(plain(lambda archive: archive.__delitem__(slice(3000, None))))
row("a header with a wrong checksum", "checksum of a header")(plain(flip(10 * 1024)))
row("an empty file", "it is cut off")(lambda path: path.write_bytes(b""))
row("noise", "a header is broken")(lambda path: path.write_bytes(b"\1" * 100_000))


@row("a zip file", "a header is broken")
def _(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in COURSE.items():
            archive.writestr(f"course/{name}", data)


def olx(changes: Mapping[str, str | bytes | None]) -> Write:
    """The sample course with some of its files changed."""
    files = {name: data for name, data in {**COURSE, **changes}.items() if data is not None}
    return lambda path: write_tar(files, path)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BLOCKS = {
    "a billion laughs": f'<!DOCTYPE html [<!ENTITY l0 "lol">{LAUGHS}]><html>&l9;</html>',
    "a quadratic blow-up": f'<!DOCTYPE html [<!ENTITY x "{"x" * MB}">]><html>{"&x;" * 10_000}</html>',
    "an entity from a file": '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html>&x;</html>',
    "an entity from the network": '<!DOCTYPE html [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]><html>&x;</html>',
    "a parameter entity": '<!DOCTYPE html [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><html/>',
    "a document type elsewhere": '<!DOCTYPE html SYSTEM "file:///etc/passwd"><html/>',
    "an inclusion": '<html filename="../../../etc/passwd"><xi:include href="/etc/passwd"/></html>',
    "a document type in UTF-16": "<!DOCTYPE html [<!ENTITY x 'y'>]><html>&x;</html>".encode("utf-16"),
    "hundreds of thousands of attributes": "<html " + " ".join(f"a{n}=''" for n in range(400_000)) + "/>",
    "a million elements": f"<html>{'<a/>' * 1_000_001}</html>",
    "elements nested without end": f"<html>{'<b>' * 100_000}{'</b>' * 100_000}</html>",
    "comments without end": "<!--" * 100_000,
    "an instruction without end": "<?x " * 100_000,
    "broken XML": "<html><b></html>",
    "no XML at all": os.urandom(1000),
}
for what, xml in BLOCKS.items():
    row(f"a block with {what}", LEFT_OUT)(olx({"html/h1.xml": xml}))

PAGE, VIDEO = '<html filename="big"/>', '<video sub="x"/>'
BROKEN_POLICY = "its policy.json is broken"
for what, changes, outcome in [
    ("a gigantic attribute", {"html/h2.xml": f'<html filename="h2" display_name="{"x" * 7 * MB}"/>'}, HARMLESS),
    ("a gigantic name", {"vertical/u1.xml": f'<vertical><html url_name="{"x" * 7 * MB}"/></vertical>'}, LEFT_OUT),
    ("a policy that is not JSON", {"policies/r1/policy.json": "{course: hidden}"}, BROKEN_POLICY),
    ("a policy nested too deep", {"policies/r1/policy.json": "[" * 1_000_000}, BROKEN_POLICY),
    ("a policy with an endless number", {"policies/r1/policy.json": "1" * MB}, BROKEN_POLICY),
    ("a course.xml with an entity", {"course.xml": f"<!DOCTYPE course [{LAUGHS}]><course/>"}, "course.xml is broken"),
    ("a course.xml that climbs out", {"course.xml": '<course url_name="../../etc" org="O" course="C"/>'}, "is missing"),
    ("a hundred thousand blocks", {"vertical/u2.xml": f"<vertical>{'<p>x</p>' * 100_000}</vertical>"}, "many blocks"),
    ("a block in itself", {"vertical/u2.xml": '<vertical><wrapper url_name="w"/><html url_name="h2"/></vertical>',
                           "wrapper/w.xml": '<wrapper><wrapper url_name="w"/></wrapper>'}, HARMLESS),
    ("one page in each of thousands of blocks", {
        "html/big.html": "x" * 7 * MB,
        "vertical/u2.xml": f"<vertical>{PAGE * 5000}</vertical>",
    }, "repeat themselves too often"),
    ("one subtitle file in each of thousands of videos", {
        "static/subs_x.srt.sjson": '{"text": ["a"]}' + " " * 7 * MB,
        "vertical/u2.xml": f"<vertical>{VIDEO * 5000}<html url_name='h2'/></vertical>",
    }, HARMLESS),
]:  # fmt: skip
    row(what, outcome)(olx(changes))
