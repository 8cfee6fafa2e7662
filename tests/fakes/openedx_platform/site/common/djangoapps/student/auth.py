from tests.fakes.openedx_platform import world


def has_studio_read_access(user, course_key):
    return has_course_author_access(user, course_key) or (user.get_username(), course_key) in world.current.readers


def has_studio_write_access(user, course_key):
    return has_course_author_access(user, course_key)


def has_course_author_access(user, course_key):
    return world.current.is_staff(user, course_key)
