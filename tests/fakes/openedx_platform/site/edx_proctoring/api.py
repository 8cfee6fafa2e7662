from tests.fakes.openedx_platform import world


def get_active_exams_for_user(user_id, course_id=None):
    here = world.current
    here.calls["get_active_exams_for_user"] += 1
    return [{"exam": {"content_id": str(exam)}, "attempt": {}} for person, exam in here.attempts if person == user_id]
