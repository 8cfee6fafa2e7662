from tests.fakes.openedx_platform import world


def exams_ida_enabled(course_key):
    world.current.calls["exams_ida_enabled"] += 1
    return course_key in world.current.exams_service_courses
