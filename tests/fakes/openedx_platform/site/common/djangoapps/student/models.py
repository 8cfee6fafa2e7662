from collections import namedtuple
from types import SimpleNamespace

from tests.fakes.openedx_platform import world

CourseEnrollmentState = namedtuple("CourseEnrollmentState", "mode, is_active")


class CourseEnrollment:
    MODE_CACHE_NAMESPACE = "CourseEnrollment.mode_and_active"

    @classmethod
    def is_enrolled(cls, user, course_key):
        return (user.get_username(), course_key) in world.current.enrolled

    @classmethod
    def get_enrollment(cls, user, course_key, select_related=None):
        enrolled = cls.is_enrolled(user, course_key)
        return SimpleNamespace(mode="audit", is_active=True) if enrolled else None

    @classmethod
    def enrollments_for_user(cls, user):
        return [
            SimpleNamespace(course_id=course_key)
            for name, course_key in world.current.enrolled
            if name == user.get_username()
        ]
