"""What this app uses of the platform, and where its releases keep it. Nothing else here imports from the platform."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

_SUPPORTED = "Teak, Ulmo and Verawood"
_TEAK_AND_ULMO = "Teak and Ulmo, and since then in xblocks-contrib"


class PlatformName:
    """A class attribute that imports something from the platform when it is read.

    Reading it raises ImproperlyConfigured if this platform has it in none of the places.

    Args:
        places: dotted paths; the first that can be imported is used.
        releases: the releases that have it.
        every: the value is a tuple of what is in each place, for exceptions that differ between them.
    """

    def __init__(self, *places: str, releases: str = _SUPPORTED, every: bool = False) -> None:
        self.places = places
        self._releases = releases
        self._every = every

    def __get__(self, _instance: object, _owner: type) -> Any:
        found, reasons = [], []
        for place in self.places:
            try:
                found.append(import_string(place))
            except ImportError as error:
                reasons.append(f"{place} ({error})")
        if not found:
            # The error's own text reaches no log: it might contain anything.
            logger.error("platform.import.missing names=%s releases=%s", ",".join(self.places), self._releases)
            raise ImproperlyConfigured(
                f"This platform has no {' or '.join(reasons)}. It is known to be in {self._releases}."
            )
        return tuple(found) if self._every else found[0]


_BLOCKS = "lms.djangoapps.course_blocks"
_LIBRARIES = "openedx.core.djangoapps.content_libraries"


class EdX:
    """The platform's functions, classes and exceptions by their own names."""

    has_access = PlatformName("lms.djangoapps.courseware.access.has_access")
    get_course_with_access = PlatformName("lms.djangoapps.courseware.courses.get_course_with_access")
    CourseAccessRedirect = PlatformName(
        "lms.djangoapps.courseware.exceptions.CourseAccessRedirect",
        "lms.djangoapps.courseware.courses.CourseAccessRedirect",
    )
    get_course_blocks = PlatformName(f"{_BLOCKS}.api.get_course_blocks")
    get_course_block_access_transformers = PlatformName(f"{_BLOCKS}.api.get_course_block_access_transformers")
    MilestonesAndSpecialExamsTransformer = PlatformName(
        "lms.djangoapps.course_api.blocks.transformers.milestones.MilestonesAndSpecialExamsTransformer"
    )
    HiddenContentTransformer = PlatformName(f"{_BLOCKS}.transformers.hidden_content.HiddenContentTransformer")
    AccessDeniedMessageFilterTransformer = PlatformName(
        f"{_BLOCKS}.transformers.access_denied_filter.AccessDeniedMessageFilterTransformer"
    )
    BlockStructureTransformers = PlatformName(
        "openedx.core.djangoapps.content.block_structure.transformers.BlockStructureTransformers"
    )
    CourseMilestone = PlatformName("milestones.models.CourseMilestone")
    CourseContentMilestone = PlatformName("milestones.models.CourseContentMilestone")
    StudentModule = PlatformName("lms.djangoapps.courseware.models.StudentModule")
    CourseEnrollment = PlatformName("common.djangoapps.student.models.CourseEnrollment")
    CourseEnrollmentState = PlatformName("common.djangoapps.student.models.CourseEnrollmentState")
    has_studio_read_access = PlatformName("common.djangoapps.student.auth.has_studio_read_access")
    has_course_author_access = PlatformName("common.djangoapps.student.auth.has_course_author_access")

    modulestore = PlatformName("xmodule.modulestore.django.modulestore")
    ModuleStoreEnum = PlatformName("xmodule.modulestore.ModuleStoreEnum")
    ItemNotFoundError = PlatformName("xmodule.modulestore.exceptions.ItemNotFoundError")
    Scope = PlatformName("xblock.fields.Scope")
    CourseOverview = PlatformName("openedx.core.djangoapps.content.course_overviews.models.CourseOverview")
    CourseDetails = PlatformName("openedx.core.djangoapps.models.course_details.CourseDetails")

    get_active_exams_for_user = PlatformName("edx_proctoring.api.get_active_exams_for_user")
    exams_ida_enabled = PlatformName("openedx.core.djangoapps.course_apps.toggles.exams_ida_enabled")
    create_jwt_for_user = PlatformName("openedx.core.djangoapps.oauth_dispatch.jwt.create_jwt_for_user")

    get_video_transcript_data = PlatformName("edxval.api.get_video_transcript_data")
    ValError = PlatformName("edxval.exceptions.ValError")
    # The function of the extracted block works for that block only, so the platform's comes first while it has one.
    get_transcript = PlatformName(
        "xmodule.video_block.transcripts_utils.get_transcript",
        "openedx.core.djangoapps.video_config.transcripts_utils.get_transcript",
        "xblocks_contrib.video.video_handlers.get_transcript",
        releases=_TEAK_AND_ULMO,
    )
    TranscriptNotFoundErrors = PlatformName(
        "xmodule.exceptions.NotFoundError",
        "xblocks_contrib.video.exceptions.TranscriptNotFoundError",
        releases=_TEAK_AND_ULMO,
        every=True,
    )

    require_permission_for_library_key = PlatformName(f"{_LIBRARIES}.api.require_permission_for_library_key")
    CAN_EDIT_THIS_CONTENT_LIBRARY = PlatformName(f"{_LIBRARIES}.permissions.CAN_EDIT_THIS_CONTENT_LIBRARY")
    create_library_block = PlatformName(f"{_LIBRARIES}.api.create_library_block")
    set_library_block_olx = PlatformName(f"{_LIBRARIES}.api.set_library_block_olx")
    delete_library_block = PlatformName(f"{_LIBRARIES}.api.delete_library_block")
    publish_changes = PlatformName(f"{_LIBRARIES}.api.publish_changes")
    create_library_collection = PlatformName(f"{_LIBRARIES}.api.create_library_collection")
    update_library_collection_items = PlatformName(f"{_LIBRARIES}.api.update_library_collection_items")
    IncompatibleTypesError = PlatformName(f"{_LIBRARIES}.api.IncompatibleTypesError")
    LibraryBlockAlreadyExists = PlatformName(f"{_LIBRARIES}.api.LibraryBlockAlreadyExists")
    BlockLimitReachedError = PlatformName(f"{_LIBRARIES}.api.BlockLimitReachedError")
    ContentLibraryNotFound = PlatformName(f"{_LIBRARIES}.api.ContentLibraryNotFound")
    ContentLibraryBlockNotFound = PlatformName(f"{_LIBRARIES}.api.ContentLibraryBlockNotFound")
    PluginMissingError = PlatformName("xblock.plugin.PluginMissingError")
    LibraryCollectionAlreadyExists = PlatformName(f"{_LIBRARIES}.api.LibraryCollectionAlreadyExists")
    ContentLibraryCollectionNotFound = PlatformName(f"{_LIBRARIES}.api.ContentLibraryCollectionNotFound")


def missing_names() -> list[str]:
    """The dotted paths of what this platform has in none of the places."""
    names = (name for name in vars(EdX).values() if isinstance(name, PlatformName))
    return [" / ".join(name.places) for name in names if not any(map(_can_import, name.places))]


def _can_import(place: str) -> bool:
    try:
        import_string(place)
    except (ImportError, RuntimeError):  # Django raises the latter for models of an app that is not installed
        return False
    return True
