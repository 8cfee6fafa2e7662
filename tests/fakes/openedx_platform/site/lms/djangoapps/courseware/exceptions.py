class CourseAccessRedirect(Exception):
    """The person is sent elsewhere."""
