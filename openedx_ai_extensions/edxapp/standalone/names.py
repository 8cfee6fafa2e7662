"""The names under which an export may hold a file that a block names: likeliest first, all within the export."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

_PAGE_SUFFIXES = (".html", ".htm")


def definition_names(category: str, url_name: str) -> Iterator[str]:
    """Where the definition of a block may be that is named by a pointer."""
    path = _within(category, url_name.replace(":", "/"))
    if path:
        yield f"{path}.xml"
        if path.lower().endswith(".xml"):
            yield path


def old_definition_names(category: str, filename: str) -> Iterator[str]:
    """Where the content of a block may be in the oldest exports, which name its file beside the block's fields."""
    for folder in (category, f"{category}s"):
        path = _within(folder, filename)
        if path.lower().endswith(".xml"):
            yield path
        if path:
            yield f"{path}.xml"


def page_names(filename: str, block_id: str) -> Iterator[str]:
    """Where the HTML of a page may be.

    The platform looks beside the block's own definition, in a folder where the block's name has colons. Authors write
    the name from the folder of all pages too, or from the top, and with the extension or without.
    """
    own_folder = posixpath.dirname(block_id.replace(":", "/"))
    folders = (posixpath.join("html", own_folder), "html", "")
    for folder in dict.fromkeys(folders if "/" in filename.replace("\\", "/").strip("/") else folders[:2]):
        path = _within(folder, filename)
        if path.lower().endswith(_PAGE_SUFFIXES):
            yield path
        if path:
            yield f"{path}.html"


def static_name(name: str) -> str:
    """The name of a file among the course's static files, which authors write with that folder or without."""
    return _within("static", name.removeprefix("/").removeprefix("static/"))


def _within(folder: str, name: str) -> str:
    """A path below the folder as ``posixpath`` writes it; empty when the name leads out of it, or nowhere."""
    path = posixpath.normpath(name.replace("\\", "/").lstrip("/"))
    return "" if path.split("/")[0] in {"", ".", ".."} else posixpath.join(folder, path)
