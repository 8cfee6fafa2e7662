"""URLs of the pages about a course."""

from django.urls import path, register_converter
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.console.author.dry_run import TryPage
from openedx_ai_extensions.console.author.feedback import FeedbackPage, ReplyPage
from openedx_ai_extensions.console.author.prompts import PromptPage
from openedx_ai_extensions.console.author.usage import UsagePage
from openedx_ai_extensions.console.author.workflows import SwitchView, WorkflowsPage


class CourseKeyConverter:
    """The key of a course; not of a library, a branch or a version."""

    # The platform's own pattern; keys of the oldest courses have slashes.
    regex = r"[^/+]+(?:/|\+)[^/+]+(?:/|\+)[^/?]+"

    def to_python(self, value: str) -> CourseKey:
        try:
            key = CourseKey.from_string(value)
        except InvalidKeyError:
            raise ValueError from None
        if not key.is_course or any(getattr(key, name, None) for name in ("branch", "version_guid")):
            raise ValueError
        return key

    def to_url(self, value: CourseKey) -> str:
        return str(value)


app_name = "author"
register_converter(CourseKeyConverter, "ai_course_key")

urlpatterns = [
    path("<ai_course_key:course_key>/", WorkflowsPage.as_view(), name="workflows"),
    path("<ai_course_key:course_key>/workflows/<int:pk>/switch/", SwitchView.as_view(), name="switch"),
    path("<ai_course_key:course_key>/prompts/<int:pk>/", PromptPage.as_view(), name="prompt"),
    path("<ai_course_key:course_key>/try/", TryPage.as_view(), name="try"),
    path("<ai_course_key:course_key>/usage/", UsagePage.as_view(), name="usage"),
    path("<ai_course_key:course_key>/feedback/", FeedbackPage.as_view(), name="feedback"),
    path("<ai_course_key:course_key>/feedback/<int:pk>/", ReplyPage.as_view(), name="reply"),
]
