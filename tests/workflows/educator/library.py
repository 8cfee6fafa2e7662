"""A content library on disk, and one that fails when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openedx_ai_extensions.edxapp.standalone import StandalonePlatform
from openedx_ai_extensions.exceptions import ProcessorError
from tests.waiting import PATIENCE

KEY = "lib:OpenedX:quizzes"
OTHER = "lib:OpenedX:others"


class Folder:
    """What the standalone backend wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def problems(self) -> list[str]:
        return [file.read_text() for file in sorted((self.path / "blocks").glob("problem/*.xml"))]

    @property
    def published(self) -> list[str]:
        return [file.read_text() for file in sorted((self.path / "published").glob("problem/*.xml"))]

    @property
    def collections(self) -> dict[str, dict[str, Any]]:
        files = sorted((self.path / "collections").glob("*.json"))
        return {file.stem: json.loads(file.read_text()) for file in files}

    @property
    def is_whole(self) -> bool:
        """Is every block in a collection, and every member of a collection a block?"""
        blocks = {f"lb:OpenedX:quizzes:problem:{file.stem}" for file in (self.path / "blocks").glob("problem/*.xml")}
        members = [block for collection in self.collections.values() for block in collection["blocks"]]
        return sorted(members) == sorted(blocks)


class FaultyPlatform(StandalonePlatform):
    """Fails where ``faults`` says so: method name to a function of how often it was called before."""

    faults: dict[str, Callable[[int], bool]] = {}
    waits: threading.Event | None = None
    calls: dict[str, int] = {}

    def _maybe_fail(self, name: str) -> None:
        number = self.calls.get(name, 0)
        self.calls[name] = number + 1
        if self.waits is not None and name == "create_library_block":
            self.waits.wait(PATIENCE)
        if self.faults.get(name, lambda _number: False)(number):
            raise ProcessorError(f"{name} says no.")

    def create_library_block(self, *args: Any, **kwargs: Any) -> Any:
        self._maybe_fail("create_library_block")
        return super().create_library_block(*args, **kwargs)

    def delete_library_block(self, *args: Any, **kwargs: Any) -> None:
        self._maybe_fail("delete_library_block")
        super().delete_library_block(*args, **kwargs)

    def publish_library(self, *args: Any, **kwargs: Any) -> None:
        self._maybe_fail("publish_library")
        super().publish_library(*args, **kwargs)

    def save_in_collection(self, *args: Any, **kwargs: Any) -> str:
        self._maybe_fail("save_in_collection")
        return super().save_in_collection(*args, **kwargs)
