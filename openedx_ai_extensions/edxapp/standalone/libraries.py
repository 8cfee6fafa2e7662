"""Content libraries in folders of OLX files.

In the folder of a library, ``blocks/<type>/<id>.xml`` are its blocks, ``published/`` contains the blocks when the
library was last published, and ``collections/<key>.json`` lists the blocks of a collection.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.library_blocks import check_olx, new_block_key, new_collection_key
from openedx_ai_extensions.exceptions import InvalidRequest, NotAllowed, ProcessorError


class LibraryFolders:
    """The methods of ``Platform`` that write to content libraries, for site staff and a library's editors."""

    def __init__(self) -> None:
        self._libraries: Mapping[str, Mapping[str, Any]] = conf.get("AI_EXTENSIONS_STANDALONE.LIBRARIES")
        self._write_lock = threading.Lock()

    def require_library_editor(self, user: Person, library_key: LibraryLocatorV2) -> None:
        entry = self._libraries.get(str(library_key))
        if entry is None or not (user.is_authenticated and user.is_active):
            raise NotAllowed
        if not (user.is_staff or user.is_superuser or user.get_username() in entry.get("editors", ())):
            raise NotAllowed

    def create_library_block(
        self, user: Person, library_key: LibraryLocatorV2, block_type: str, block_id: str, olx: str
    ) -> LibraryUsageLocatorV2:
        check_olx(olx, block_type)
        usage_key = new_block_key(library_key, block_type, block_id)
        with _our_exceptions():
            try:
                _write(self._file(usage_key), olx, os.link)
            except FileExistsError as error:
                raise ProcessorError(_("The library already has a block with this id.")) from error
        return usage_key

    def delete_library_block(self, user: Person, usage_key: LibraryUsageLocatorV2) -> None:
        with _our_exceptions():
            try:
                self._file(usage_key).unlink()
            except FileNotFoundError as error:
                raise _no_such_block() from error

    def publish_library(self, user: Person, library_key: LibraryLocatorV2) -> None:
        folder = self._folder(library_key)
        with self._write_lock, _our_exceptions():
            (folder / "blocks").mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / "published", ignore_errors=True)
            shutil.copytree(folder / "blocks", folder / "published", ignore=shutil.ignore_patterns(".*"))

    def save_in_collection(
        self,
        user: Person,
        library_key: LibraryLocatorV2,
        usage_keys: Sequence[LibraryUsageLocatorV2],
        *,
        key: str | None,
        title: str,
    ) -> str:
        folder = self._folder(library_key) / "collections"
        for usage_key in usage_keys:
            if usage_key.lib_key != library_key or not self._file(usage_key).is_file():
                raise _no_such_block()
        with self._write_lock, _our_exceptions():
            if key is None:
                key, collection = new_collection_key(title), {"title": title, "blocks": []}
            else:
                collection = json.loads(_collection_file(folder, key).read_text(encoding="utf-8"))
            collection["blocks"] = list(dict.fromkeys([*collection["blocks"], *map(str, usage_keys)]))
            _write(folder / f"{key}.json", json.dumps(collection, indent=4), os.replace)
        return key

    def _folder(self, library_key: LibraryLocatorV2) -> Path:
        entry = self._libraries.get(str(library_key))
        if entry is None:
            raise ProcessorError(_("There is no such library."))
        return Path(entry["path"])

    def _file(self, usage_key: LibraryUsageLocatorV2) -> Path:
        block_type, block_id = _file_name(usage_key.block_type), _file_name(usage_key.block_id)
        return self._folder(usage_key.lib_key) / "blocks" / block_type / f"{block_id}.xml"


def _file_name(name: str) -> str:
    """Raises ProcessorError: the name could lead out of the folder."""
    if not name or name.startswith(".") or "/" in name or "\\" in name or "\0" in name:
        raise ProcessorError(_("A library does not allow this name."))
    return name


def _collection_file(folder: Path, key: str) -> Path:
    """Raises InvalidRequest: there is no such collection."""
    # Found in the list of files, because a key that a client sends may be a path, or too long for a name.
    found = next((file for file in folder.glob("*.json") if file.stem == key), None)
    if found is None:
        raise InvalidRequest(_("There is no such collection in the library."))
    return found


def _write(file: Path, text: str, put: Callable[[str, Path], None]) -> None:
    """Write a file completely or not at all. ``put`` moves or links the complete file to its place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=".", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        put(unfinished, file)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _no_such_block() -> ProcessorError:
    return ProcessorError(_("There is no such block in the library."))


@contextmanager
def _our_exceptions() -> Iterator[None]:
    """Converts errors of the file system and in its files."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise ProcessorError(_("The library can't be written.")) from error
