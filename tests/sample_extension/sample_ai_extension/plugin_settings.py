"""Adds the templates to the site's."""

from pathlib import Path

from openedx_ai_extensions.core import conf


def plugin_settings(settings):
    ours = Path(__file__).with_name("workflow_templates")
    directories = getattr(settings, "WORKFLOW_TEMPLATE_DIRS", [conf.BUILT_IN_TEMPLATE_DIR])
    if ours not in directories:
        settings.WORKFLOW_TEMPLATE_DIRS = [*directories, ours]
