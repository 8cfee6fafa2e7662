"""``ContentLibraryProcessor``: saves problems to a collection of a content library."""

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
    """The state of a collection, updated while questions are saved.

    Attributes:
        collection_key: the collection; None until it is created.
        problems: usage keys by ``fingerprint`` of their OLX. These are not saved again.
        count: the number of requested questions that are in the collection.
        failed: ``{"index", "message"}`` of each question that was not saved.
        refused: the number of failures that the client must fix, because the question or the collection is not valid.
    """

    collection_key: str | None = None
    problems: dict[str, str] = field(default_factory=dict)
    count: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0


class ContentLibraryProcessor(Processor):
    """Saves problems to content libraries, with the permissions of one person.

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
        """Save questions to a collection. Each one is saved completely, or not at all.

        Args:
            library_key: the library; the caller has checked that the person may edit it.
            questions: in the form that a browser sends, see ``olx_to_save``.
            title: for a new collection.
            saved: the target, and the result of earlier saves; updated.
            handed_out: the questions before the author could change them.

        Raises:
            ProcessorError: the workflow is in a dry run.
        """
        execution = current_execution()
        if execution is not None and not execution.stores:
            raise ProcessorError(_("Nothing is saved during a dry run."))
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
                _("The question could not be added to the collection. It remains in the library as {block}.").format(
                    block=usage_key
                )
            ) from None

    def publish(self, library_key: LibraryLocatorV2) -> str:
        """Publish the changes in the library. Returns the reason for a failure, or an empty text."""
        try:
            get_platform().publish_library(self.user, library_key)
        except ProcessorError as error:
            return str(error)
        return ""


def fingerprint(olx: str) -> str:
    """A hash of the OLX."""
    return hashlib.sha256(olx.encode()).hexdigest()[:32]
