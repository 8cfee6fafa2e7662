from datetime import UTC, datetime

from common.djangoapps.student.models import CourseEnrollment
from django.http import Http404
from lms.djangoapps.courseware.exceptions import CourseAccessRedirect

from tests.fakes.openedx_platform import world


def get_course_with_access(
    user, action, course_key, depth=0, check_if_enrolled=False, check_survey_complete=True, check_if_authenticated=False
):
    here = world.current
    here.calls["get_course_with_access"] += 1
    assert action == "load"
    course = here.published.get(course_key.make_usage_key("course", "course"))
    if course is None:
        raise Http404("Course not found.")
    if here.is_staff(user, course_key):
        return course
    if course.visible_to_staff_only:
        raise Http404("Course not found.")
    if course.start and course.start > datetime.now(UTC):
        raise CourseAccessRedirect("/dashboard")
    # An expired audit enrolment, an unmet prerequisite course, a survey that was not answered.
    closed = here.closed_courses.get(user.get_username())
    if closed is not None:
        raise closed("/elsewhere")
    if check_if_enrolled and not CourseEnrollment.is_enrolled(user, course_key):
        raise CourseAccessRedirect("/about")
    return course
