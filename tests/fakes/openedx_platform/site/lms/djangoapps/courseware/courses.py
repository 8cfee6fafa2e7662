from datetime import UTC, datetime

from django.http import Http404
from lms.djangoapps.courseware.exceptions import CourseAccessRedirect

from tests.fakes.openedx_platform import world


def get_course_with_access(user, action, course_key, depth=0, check_if_enrolled=False):
    world.current.calls["get_course_with_access"] += 1
    assert action == "load"
    course = world.current.published.get(course_key.make_usage_key("course", "course"))
    if course is None:
        raise Http404("Course not found.")
    if world.current.is_staff(user, course_key):
        return course
    if course.visible_to_staff_only:
        raise Http404("Course not found.")
    if course.start and course.start > datetime.now(UTC):
        raise CourseAccessRedirect("/dashboard")
    return course
