"""What we use of the platform, and where its releases keep it. Nothing else in this app imports from the platform."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

_SUPPORTED = "Teak, Ulmo and Verawood"
_TEAK_AND_ULMO = "Teak and Ulmo, and since then in xblocks-contrib"


@dataclass(frozen=True, slots=True)
class PlatformName:
    """Something to import.

    Attributes:
        places: dotted paths; the first that imports is used.
        releases: where it is known to be.
    """

    places: tuple[str, ...]
    releases: str = _SUPPORTED


HAS_ACCESS = PlatformName(("lms.djangoapps.courseware.access.has_access",))
GET_COURSE_WITH_ACCESS = PlatformName(("lms.djangoapps.courseware.courses.get_course_with_access",))
COURSE_ACCESS_REDIRECT = PlatformName(
    (
        "lms.djangoapps.courseware.exceptions.CourseAccessRedirect",
        "lms.djangoapps.courseware.courses.CourseAccessRedirect",
    )
)
_BLOCKS = "lms.djangoapps.course_blocks"
GET_COURSE_BLOCKS = PlatformName((f"{_BLOCKS}.api.get_course_blocks",))
ACCESS_TRANSFORMERS = PlatformName((f"{_BLOCKS}.api.get_course_block_access_transformers",))
MILESTONES_TRANSFORMER = PlatformName(
    ("lms.djangoapps.course_api.blocks.transformers.milestones.MilestonesAndSpecialExamsTransformer",)
)
HIDDEN_CONTENT_TRANSFORMER = PlatformName((f"{_BLOCKS}.transformers.hidden_content.HiddenContentTransformer",))
ACCESS_DENIED_TRANSFORMER = PlatformName(
    (f"{_BLOCKS}.transformers.access_denied_filter.AccessDeniedMessageFilterTransformer",)
)
TRANSFORMERS = PlatformName(
    ("openedx.core.djangoapps.content.block_structure.transformers.BlockStructureTransformers",)
)
COURSE_MILESTONE = PlatformName(("milestones.models.CourseMilestone",))
CONTENT_MILESTONE = PlatformName(("milestones.models.CourseContentMilestone",))
STUDENT_MODULE = PlatformName(("lms.djangoapps.courseware.models.StudentModule",))
COURSE_ENROLLMENT = PlatformName(("common.djangoapps.student.models.CourseEnrollment",))
ENROLLMENT_STATE = PlatformName(("common.djangoapps.student.models.CourseEnrollmentState",))
HAS_STUDIO_READ_ACCESS = PlatformName(("common.djangoapps.student.auth.has_studio_read_access",))
HAS_COURSE_AUTHOR_ACCESS = PlatformName(("common.djangoapps.student.auth.has_course_author_access",))

MODULESTORE = PlatformName(("xmodule.modulestore.django.modulestore",))
MODULESTORE_ENUM = PlatformName(("xmodule.modulestore.ModuleStoreEnum",))
ITEM_NOT_FOUND = PlatformName(("xmodule.modulestore.exceptions.ItemNotFoundError",))
FIELD_SCOPE = PlatformName(("xblock.fields.Scope",))
COURSE_OVERVIEW = PlatformName(("openedx.core.djangoapps.content.course_overviews.models.CourseOverview",))
COURSE_DETAILS = PlatformName(("openedx.core.djangoapps.models.course_details.CourseDetails",))

GET_ACTIVE_EXAMS = PlatformName(("edx_proctoring.api.get_active_exams_for_user",))
USES_EXAMS_SERVICE = PlatformName(("openedx.core.djangoapps.course_apps.toggles.exams_ida_enabled",))
CREATE_JWT = PlatformName(("openedx.core.djangoapps.oauth_dispatch.jwt.create_jwt_for_user",))

VIDEO_TRANSCRIPT_DATA = PlatformName(("edxval.api.get_video_transcript_data",))
VIDEO_ERROR = PlatformName(("edxval.exceptions.ValError",))
# The extracted block's own function works for that block only, so the platform's comes first while it has one.
GET_TRANSCRIPT = PlatformName(
    (
        "xmodule.video_block.transcripts_utils.get_transcript",
        "openedx.core.djangoapps.video_config.transcripts_utils.get_transcript",
        "xblocks_contrib.video.video_handlers.get_transcript",
    ),
    _TEAK_AND_ULMO,
)
TRANSCRIPT_NOT_FOUND = PlatformName(
    ("xmodule.exceptions.NotFoundError", "xblocks_contrib.video.exceptions.TranscriptNotFoundError"), _TEAK_AND_ULMO
)

_LIBRARIES = "openedx.core.djangoapps.content_libraries"
REQUIRE_LIBRARY_PERMISSION = PlatformName((f"{_LIBRARIES}.api.require_permission_for_library_key",))
CAN_EDIT_LIBRARY = PlatformName((f"{_LIBRARIES}.permissions.CAN_EDIT_THIS_CONTENT_LIBRARY",))
CREATE_LIBRARY_BLOCK = PlatformName((f"{_LIBRARIES}.api.create_library_block",))
SET_LIBRARY_BLOCK_OLX = PlatformName((f"{_LIBRARIES}.api.set_library_block_olx",))
DELETE_LIBRARY_BLOCK = PlatformName((f"{_LIBRARIES}.api.delete_library_block",))
PUBLISH_CHANGES = PlatformName((f"{_LIBRARIES}.api.publish_changes",))
CREATE_COLLECTION = PlatformName((f"{_LIBRARIES}.api.create_library_collection",))
UPDATE_COLLECTION_ITEMS = PlatformName((f"{_LIBRARIES}.api.update_library_collection_items",))
INCOMPATIBLE_TYPES = PlatformName((f"{_LIBRARIES}.api.IncompatibleTypesError",))
BLOCK_ALREADY_EXISTS = PlatformName((f"{_LIBRARIES}.api.LibraryBlockAlreadyExists",))
BLOCK_LIMIT_REACHED = PlatformName((f"{_LIBRARIES}.api.BlockLimitReachedError",))
LIBRARY_NOT_FOUND = PlatformName((f"{_LIBRARIES}.api.ContentLibraryNotFound",))
BLOCK_NOT_FOUND = PlatformName((f"{_LIBRARIES}.api.ContentLibraryBlockNotFound",))
BLOCK_TYPE_NOT_INSTALLED = PlatformName(("xblock.plugin.PluginMissingError",))
COLLECTION_ALREADY_EXISTS = PlatformName((f"{_LIBRARIES}.api.LibraryCollectionAlreadyExists",))
COLLECTION_NOT_FOUND = PlatformName((f"{_LIBRARIES}.api.ContentLibraryCollectionNotFound",))


def load(name: PlatformName) -> Any:
    """What the name stands for in this release.

    Raises:
        ImproperlyConfigured: this platform has it in none of the places.
    """
    return _found(name)[0]


def load_all(name: PlatformName) -> tuple[Any, ...]:
    """The same from every place that has it, for exceptions that differ from place to place.

    Raises:
        ImproperlyConfigured: no place has it.
    """
    return tuple(_found(name))


def missing_names() -> list[str]:
    """What this platform has in none of the places where we look for it, as dotted paths."""
    names = (name for name in globals().values() if isinstance(name, PlatformName))
    return [" / ".join(name.places) for name in names if not any(map(_imports, name.places))]


def _imports(place: str) -> bool:
    try:
        import_string(place)
    except (ImportError, RuntimeError):  # Django raises the latter for models of an app that is not installed
        return False
    return True


def _found(name: PlatformName) -> list[Any]:
    found, reasons = [], []
    for place in name.places:
        try:
            found.append(import_string(place))
        except ImportError as error:
            reasons.append(f"{place} ({error})")
    if not found:
        # The error's own text reaches no log: it might have held anything.
        logger.error("platform.import.missing names=%s releases=%s", ",".join(name.places), name.releases)
        raise ImproperlyConfigured(
            f"This platform has no {' or '.join(reasons)}. It is known to be in {name.releases}."
        )
    return found
