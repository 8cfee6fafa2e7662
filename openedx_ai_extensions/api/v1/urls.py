"""The endpoints that widgets call."""

from django.urls import path

from openedx_ai_extensions.api.v1.views import ProfileListView, ProfileView, PromptView, WorkflowView

app_name = "v1"

urlpatterns = [
    path("workflows/", WorkflowView.as_view(), name="aiext_workflows"),
    path("profile/", ProfileView.as_view(), name="aiext_ui_config"),
    path("profiles/", ProfileListView.as_view(), name="aiext_profiles_list"),
    path("prompts/<str:reference>/", PromptView.as_view(), name="aiext_prompt_detail"),
]
