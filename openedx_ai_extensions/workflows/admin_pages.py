"""Pages of the admin that list no rows: what their permissions, and their lines in the admin's index, hang on.

Proxies, since Django wants a model for either; nothing is ever read or written through them.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from openedx_ai_extensions.workflows.models import AIWorkflowProfile


class AITryIt(AIWorkflowProfile):
    """The page on which a workflow is tried out."""

    class Meta:
        proxy = True
        default_permissions = ()
        permissions = (
            ("try_workflow", gettext_lazy("Can try AI workflows out")),
            ("try_as_another", gettext_lazy("Can try AI workflows out, and read courses, as another person sees them")),
        )
        verbose_name = gettext_lazy("try a workflow")
        verbose_name_plural = gettext_lazy("try a workflow")


class AIModelView(AIWorkflowProfile):
    """The page that shows what a model would read at a place."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = gettext_lazy("what would the model see?")
        verbose_name_plural = gettext_lazy("what would the model see?")


class AIHealth(AIWorkflowProfile):
    """The page that says whether everything works."""

    class Meta:
        proxy = True
        default_permissions = ()
        permissions = (("view_health", gettext_lazy("Can see whether AI works, and ask providers for a sign of life")),)
        verbose_name = gettext_lazy("health")
        verbose_name_plural = gettext_lazy("health")
