"""The Django admin: one module per model."""

from openedx_ai_extensions.admin.dry_run.page import TryItAdmin
from openedx_ai_extensions.admin.health import HealthAdmin
from openedx_ai_extensions.admin.limits.limit_admin import LimitAdmin
from openedx_ai_extensions.admin.model_view.page import ModelViewAdmin
from openedx_ai_extensions.admin.policy.consent import ConsentAdmin
from openedx_ai_extensions.admin.policy.notice import NoticeAdmin
from openedx_ai_extensions.admin.policy.pause import PauseAdmin
from openedx_ai_extensions.admin.profiles.profile_admin import ProfileAdmin
from openedx_ai_extensions.admin.prompt import PromptAdmin
from openedx_ai_extensions.admin.runs.run_admin import RunAdmin
from openedx_ai_extensions.admin.runs.usage import UsageAdmin
from openedx_ai_extensions.admin.scopes.scope_admin import ScopeAdmin
from openedx_ai_extensions.admin.sessions.session_admin import SessionAdmin

__all__ = [
    "ConsentAdmin",
    "HealthAdmin",
    "LimitAdmin",
    "ModelViewAdmin",
    "NoticeAdmin",
    "PauseAdmin",
    "ProfileAdmin",
    "PromptAdmin",
    "RunAdmin",
    "ScopeAdmin",
    "SessionAdmin",
    "TryItAdmin",
    "UsageAdmin",
]
