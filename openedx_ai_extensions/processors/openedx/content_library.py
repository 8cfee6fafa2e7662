"""``ContentLibraryProcessor``: problems into a collection of a content library."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import InvalidRequest, ProcessorError
from openedx_ai_extensions.execution.execution import current_execution
from openedx_ai_extensions.processors.base import Processor
from openedx_ai_extensions.processors.openedx.questions import olx_to_save

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Saved:
    """What is in a collection, filled in as a save goes on.

    Attributes:
        collection_key: the collection; None as long as there is none.
        problems: usage keys by what ``fingerprint`` says of their OLX. What is here is not saved again.
        count: how many of the questions asked for are in the collection.
        failed: ``{"index", "message"}`` of each question that is not.
        refused: how many of those the client has to change: the question, or the collection asked for, is not valid.
    """

    collection_key: str | None = None
    problems: dict[str, str] = field(default_factory=dict)
    count: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0


class ContentLibraryProcessor(Processor):
    """Writes problems into content libraries, with the rights of one person.

    Args:
        processor_config: the profile's whole ``processor_config``.
        user: the person.
    """

    default_function = "save"

    def __init__(self, processor_config: Mapping[str, Any] | None = None, *, user: Person) -> None:
        super().__init__(processor_config)
        self.user = user

    def save(
        self,
        library_key: LibraryLocatorV2,
        questions: Sequence[Any],
        *,
        title: str,
        saved: Saved,
        handed_out: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Put questions into a collection. Each is wholly there afterwards, or not at all.

        Args:
            library_key: the library; who calls has made sure that the person may edit it.
            questions: as a browser sends them, see ``olx_to_save``.
            title: for a new collection.
            saved: where to, and what earlier saves did; what this one does is added.
            handed_out: the questions as they were before the author could change them.

        Raises:
            ProcessorError: the workflow is only tried out.
        """
        execution = current_execution()
        if execution is not None and not execution.stores:
            raise ProcessorError(_("Nothing is saved while a workflow is tried out."))
        for index, raw in enumerate(questions):
            try:
                self._save_one(library_key, olx_to_save(raw, handed_out), title, saved)
            except (InvalidRequest, ProcessorError) as error:
                saved.failed.append({"index": index, "message": str(error)})
                saved.refused += isinstance(error, InvalidRequest)
            else:
                saved.count += 1

    def _save_one(self, library_key: LibraryLocatorV2, olx: Mapping[str, str], title: str, saved: Saved) -> None:
        known = fingerprint(olx["data"])
        if known in saved.problems:
            return
        platform = get_platform()
        block_id = f"ai-{uuid.uuid4().hex[:16]}"
        usage_key = platform.create_library_block(self.user, library_key, olx["category"], block_id, olx["data"])
        try:
            key = platform.save_in_collection(
                self.user, library_key, [usage_key], key=saved.collection_key, title=title
            )
        except BaseException:
            self._delete_block(usage_key)
            raise
        saved.collection_key = key
        saved.problems[known] = str(usage_key)

    def _delete_block(self, usage_key: LibraryUsageLocatorV2) -> None:
        try:
            get_platform().delete_library_block(self.user, usage_key)
        except ProcessorError:
            logger.error("library.block.left usage_key=%s", usage_key)
            raise ProcessorError(
                _("The question could not be put into the collection, and is left in the library as {block}.").format(
                    block=usage_key
                )
            ) from None

    def publish(self, library_key: LibraryLocatorV2) -> str:
        """Publish what changed in the library; returns why it could not be done, empty when it was."""
        try:
            get_platform().publish_library(self.user, library_key)
        except ProcessorError as error:
            return str(error)
        return ""


def fingerprint(olx: str) -> str:
    """The same for the same OLX."""
    return hashlib.sha256(olx.encode()).hexdigest()[:32]
