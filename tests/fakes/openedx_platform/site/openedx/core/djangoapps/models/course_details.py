from tests.fakes.openedx_platform import world


class CourseDetails:
    @classmethod
    def fetch(cls, course_key):
        course = world.current.published[course_key.make_usage_key("course", "course")]
        details = cls()
        for name in ("title", "subtitle", "description", "short_description", "overview", "syllabus", "duration"):
            file = world.current.folder / "about" / f"{name}.html"
            setattr(details, name, file.read_text().strip() if file.exists() else None)
        details.language, details.start_date, details.end_date = course.language, course.start, course.end
        return details
