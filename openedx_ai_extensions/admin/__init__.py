"""The Django admin: one module per model."""

from openedx_ai_extensions.admin.profile import ProfileAdmin
from openedx_ai_extensions.admin.prompt import PromptAdmin
from openedx_ai_extensions.admin.scope import ScopeAdmin
from openedx_ai_extensions.admin.session import SessionAdmin

__all__ = ["ProfileAdmin", "PromptAdmin", "ScopeAdmin", "SessionAdmin"]
