"""Quiz questions that an author reviews, regenerates and saves to a content library."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from opaque_keys.edx.locator import LibraryLocatorV2

from openedx_ai_extensions.core.portable import is_whole
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import DuplicateRequest, InvalidRequest, NotAllowed, ProcessorError
from openedx_ai_extensions.execution.answers import Result
from openedx_ai_extensions.processors import ContentLibraryProcessor, EducatorAssistantProcessor
from openedx_ai_extensions.processors.openedx.content_library import Saved
from openedx_ai_extensions.workflows.orchestrators.base import action
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import SessionBasedOrchestrator
from openedx_ai_extensions.xapi.constants import EVENT_COMPLETED

MAX_QUESTIONS_PER_RUN = 20  # in one run
MAX_QUESTIONS_PER_SAVE = 100  # in one save
MAX_NAME_CHARS = 200  # characters
SAVE_CLAIM_SECONDS = 300  # after which an unfinished save no longer blocks another one

# Keys of the session's metadata.
SLOTS = "question_slots"  # [{"id", "versions": [question…], "selected": int}]
NAME = "collection_name"
URL = "collection_url"  # set once all questions are saved
RUN = "quiz_run"  # id of the last run that stored its questions
SAVED = "saved"  # {"library", "title", "collection_key", "problems": {fingerprint: usage key}}
SAVING = "saving"  # {"id", "since"} of the save under way

Metadata = dict[str, Any]


class EducatorAssistantOrchestrator(SessionBasedOrchestrator):
    """Writes quiz questions for course staff, and keeps them for review until they are saved.

    Only course staff may generate questions; saving requires permission to edit the library.
    """

    @classmethod
    def is_available_to(cls, user: Person, course_id: CourseKey | None) -> bool:
        return course_id is not None and get_platform().is_course_staff(user, course_id)

    @cached_property
    def processor(self) -> EducatorAssistantProcessor:
        return EducatorAssistantProcessor(self.profile.processor_config, user_session=self.session)

    def check_input(self, user_input: Any) -> None:
        self._checked(user_input)

    @action
    def run(self, user_input: Any) -> Result:
        """Generate questions: ``{"num_questions", "extra_instructions"?, "library_id"?}``; optionally save them to a
        library.
        """
        number, instructions, library = self._checked(user_input)
        last_run = self.session.metadata.get(RUN)
        self.report_progress(0.1, _("Reading the course."))
        content = self.course_content()
        self.report_progress(0.3, _("Writing questions."))
        quiz = self.processor.generate(number, context=content, extra_instructions=instructions)
        self.report_progress(0.9, _("Preparing the questions for review."))
        new = [{"id": uuid.uuid4().hex, "versions": [question], "selected": 0} for question in quiz.questions]

        def store(metadata: Metadata) -> None:
            if metadata.get(RUN) == last_run:
                for name in (URL, SAVED, SLOTS):
                    metadata.pop(name, None)
                metadata[NAME] = quiz.title
            # Otherwise another tab has stored questions meanwhile: these are appended to them.
            metadata[SLOTS] = [*metadata.get(SLOTS, ()), *new]
            metadata[RUN] = uuid.uuid4().hex

        metadata = self._change_metadata(store)
        self.record(EVENT_COMPLETED, quiz.usage)
        if library is not None:
            return self._save(_SaveRequest(library, quiz.questions, quiz.title, None, False))
        # If the session was cleared meanwhile, the questions are returned but not stored.
        return Result(_review(metadata if metadata is not None else {SLOTS: new, NAME: quiz.title}))

    @action
    def regenerate_question(self, user_input: Any) -> Result:
        """Generate another version of a question: ``{"question_index", "extra_instructions"?}``."""
        self._require_staff()
        fields = _object(user_input)
        index, instructions = fields.get("question_index"), _text(fields, "extra_instructions")
        slots = self.session.metadata.get(SLOTS) or []
        if not is_whole(index) or not 0 <= index < len(slots):
            raise InvalidRequest(_("question_index is not the number of a question in review."))
        shown = [slot["versions"][slot["selected"]] for slot in slots]
        quiz = self.processor.regenerate(
            shown[index],
            [*shown[:index], *shown[index + 1 :]],
            context=self.course_content(),
            extra_instructions=instructions,
        )
        question = quiz.questions[0]
        slot: Metadata = {"versions": [*slots[index]["versions"], question]}

        def store(metadata: Metadata) -> None:
            now = metadata.get(SLOTS) or []
            if index >= len(now) or now[index]["id"] != slots[index]["id"]:
                raise InvalidRequest(_("The questions were saved or replaced meanwhile. Please reload the page."))
            slot["versions"] = now[index]["versions"] = [*now[index]["versions"], question]
            now[index]["selected"] = len(slot["versions"]) - 1

        self._change_metadata(store, unless_cancelled=False)
        response = {"question": question, "history": slot["versions"], "selected": len(slot["versions"]) - 1}
        return self.result(response, quiz.usage)

    # Saved questions are not sent to a model, so they may be longer than a message.
    @action(asks_model=False, max_chars="AI_EXTENSIONS_MAX_SAVE_CHARS")
    def save(self, user_input: Any) -> Result:
        """Save questions to a library: ``{"library_id", "questions", "collection_name"?, "collection_key"?,
        "publish"?}``.
        """
        fields = _object(user_input)
        library = self._library(fields.get("library_id"))
        return self._save(_SaveRequest.of(fields, library))

    def current_response(self) -> Any:
        metadata = self.session.metadata
        return metadata.get(URL) or (_review(metadata) if metadata.get(SLOTS) else None)

    def _save(self, save: _SaveRequest) -> Result:
        mine = uuid.uuid4().hex

        def claim(metadata: Metadata) -> None:
            other = metadata.get(SAVING)
            if other and time.time() - other["since"] < SAVE_CLAIM_SECONDS:
                raise DuplicateRequest(_("These questions are already being saved."))
            metadata[SAVING] = {"id": mine, "since": time.time()}

        metadata = self._change_metadata(claim, unless_cancelled=False) or {}
        title = save.title or metadata.get(NAME) or _("Quiz questions")
        saved = save.continued_from(metadata.get(SAVED) or {}, title)
        library = ContentLibraryProcessor(self.profile.processor_config, user=self.user)
        is_done = False
        try:
            in_review = [version for slot in metadata.get(SLOTS) or () for version in slot["versions"]]
            library.save(save.library, save.questions, title=title, saved=saved, handed_out=in_review)
            is_done = not saved.failed
        finally:
            url = f"authoring/library/{save.library}/collection/{saved.collection_key}"

            def store(now: Metadata) -> None:
                if (now.get(SAVING) or {}).get("id") == mine:
                    del now[SAVING]
                now[SAVED] = {
                    "library": str(save.library),
                    "title": title,
                    "collection_key": saved.collection_key,
                    "problems": saved.problems,
                }
                # Failed questions, and those that another tab has stored meanwhile, stay in review.
                if is_done and now.get(RUN) == metadata.get(RUN):
                    now.pop(SLOTS, None)
                    now[URL] = url

            self._change_metadata(store, unless_cancelled=False)
        if not saved.count:
            messages = list(dict.fromkeys(failure["message"] for failure in saved.failed))
            error = InvalidRequest if saved.refused == len(saved.failed) else ProcessorError
            raise error(messages, extra={"failed": saved.failed})
        extra: Metadata = {"saved": saved.count, "failed": saved.failed}
        if save.publish:
            problem = library.publish(save.library)
            extra |= {"published": not problem, **({"message": problem} if problem else {})}
        return Result(url, extra=extra)

    def _require_staff(self) -> None:
        """Raise NotAllowed unless the person is staff of the course."""
        if not self.is_available_to(self.user, self.course_id):
            raise NotAllowed

    def _library(self, library_id: Any) -> LibraryLocatorV2:
        """The key of a library that this person may edit.

        Raises:
            InvalidRequest: it is not the key of a library.
            NotAllowed: the library does not exist, or the person may not edit it.
        """
        try:
            key = LibraryLocatorV2.from_string(library_id) if isinstance(library_id, str) else None
        except InvalidKeyError:
            key = None
        if not isinstance(key, LibraryLocatorV2):
            raise InvalidRequest(_("library_id is required, as the key of a content library."))
        get_platform().require_library_editor(self.user, key)
        return key

    def _checked(self, user_input: Any) -> tuple[int, str, LibraryLocatorV2 | None]:
        """The number of questions, the further instructions and the library in the input of ``run``.

        Raises:
            InvalidRequest, NotAllowed: see the message.
        """
        self._require_staff()
        fields = _object(user_input)
        number = fields.get("num_questions")
        if not is_whole(number) or not 1 <= number <= MAX_QUESTIONS_PER_RUN:
            raise InvalidRequest(
                _("num_questions must be a whole number from 1 to {maximum}.").format(maximum=MAX_QUESTIONS_PER_RUN)
            )
        library = None if fields.get("library_id") in (None, "") else self._library(fields["library_id"])
        return number, _text(fields, "extra_instructions"), library


@dataclass(frozen=True, slots=True)
class _SaveRequest:
    """The questions to save, and where; ``title`` is empty if the client sends none."""

    library: LibraryLocatorV2
    questions: Sequence[Any]
    title: str
    collection_key: str | None
    publish: bool

    @classmethod
    def of(cls, fields: Mapping[str, Any], library: LibraryLocatorV2) -> _SaveRequest:
        questions, publish = fields.get("questions"), fields.get("publish")
        if not isinstance(questions, list) or not 1 <= len(questions) <= MAX_QUESTIONS_PER_SAVE:
            raise InvalidRequest(
                _("questions must be a list of 1 to {maximum} questions.").format(maximum=MAX_QUESTIONS_PER_SAVE)
            )
        if not isinstance(publish, bool | None):
            raise InvalidRequest(_("publish must be true or false."))
        title, key = _text(fields, NAME), _text(fields, "collection_key")
        if max(len(title), len(key)) > MAX_NAME_CHARS:
            raise InvalidRequest(
                _("The name of a collection has {maximum} characters at most.").format(maximum=MAX_NAME_CHARS)
            )
        return cls(library, questions, title, key or None, bool(publish))

    def continued_from(self, known: Mapping[str, Any], title: str) -> Saved:
        """The target of the save: the collection of an earlier save if it matches, so that no question is saved
        twice.
        """
        is_same = known.get("library") == str(self.library) and (
            self.collection_key == known["collection_key"] if self.collection_key else title == known["title"]
        )
        return Saved(known["collection_key"], dict(known["problems"])) if is_same else Saved(self.collection_key)


def _review(metadata: Metadata) -> dict[str, Any]:
    """The questions in review, in the form that widgets read."""
    slots = [{name: slot[name] for name in ("versions", "selected")} for slot in metadata[SLOTS]]
    return {SLOTS: slots, NAME: metadata[NAME]}


def _object(user_input: Any) -> Mapping[str, Any]:
    if not isinstance(user_input, Mapping):
        raise InvalidRequest(_("user_input must be an object."))
    return user_input


def _text(fields: Mapping[str, Any], name: str) -> str:
    """A stripped text of the input; empty if absent.

    Raises:
        InvalidRequest: it is not a text.
    """
    value = fields.get(name)
    if not isinstance(value, str | None):
        raise InvalidRequest(_("{field} must be a text.").format(field=name))
    return (value or "").strip()
