from django.core.exceptions import ObjectDoesNotExist

from tests.fakes.openedx_platform import world


class CourseOverview:
    class DoesNotExist(ObjectDoesNotExist):
        pass

    @classmethod
    def get_from_id(cls, course_key):
        world.current.calls["course_overview"] += 1
        course = world.current.published.get(course_key.make_usage_key("course", "course"))
        if course is None:
            raise cls.DoesNotExist
        overview = cls()
        overview.display_name, overview.language, overview.self_paced = (
            course.display_name,
            course.language,
            course.self_paced,
        )
        overview.start, overview.end = course.start, course.end
        about = world.current.folder / "about" / "short_description.html"
        overview.short_description = about.read_text().strip() if about.is_file() else ""
        return overview
