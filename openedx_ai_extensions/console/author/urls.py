"""The pages about a course."""

from django.urls import path, register_converter

from openedx_ai_extensions.console.author.course_key import CourseKeyConverter
from openedx_ai_extensions.console.author.prompts import PromptPage
from openedx_ai_extensions.console.author.trying import TryPage
from openedx_ai_extensions.console.author.usage import UsagePage
from openedx_ai_extensions.console.author.workflows import SwitchView, WorkflowsPage

app_name = "author"
register_converter(CourseKeyConverter, "ai_course_key")

urlpatterns = [
    path("<ai_course_key:course_key>/", WorkflowsPage.as_view(), name="workflows"),
    path("<ai_course_key:course_key>/workflows/<int:pk>/switch/", SwitchView.as_view(), name="switch"),
    path("<ai_course_key:course_key>/prompts/<int:pk>/", PromptPage.as_view(), name="prompt"),
    path("<ai_course_key:course_key>/try/", TryPage.as_view(), name="try"),
    path("<ai_course_key:course_key>/usage/", UsagePage.as_view(), name="usage"),
]
