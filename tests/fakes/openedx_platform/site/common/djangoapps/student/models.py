from types import SimpleNamespace

from tests.fakes.openedx_platform import world


class CourseEnrollment:
    @classmethod
    def is_enrolled(cls, user, course_key):
        return (user.get_username(), course_key) in world.current.enrolled

    @classmethod
    def enrollments_for_user(cls, user):
        return [
            SimpleNamespace(course_id=course_key)
            for name, course_key in world.current.enrolled
            if name == user.get_username()
        ]
