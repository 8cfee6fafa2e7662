"""The Django admin, a module or folder for each subject."""

from openedx_ai_extensions.console.required_apps import missing_apps

if not missing_apps():  # otherwise they cannot be imported, and a check says why
    from openedx_ai_extensions.admin.dry_run import TryItAdmin
    from openedx_ai_extensions.admin.health import HealthAdmin
    from openedx_ai_extensions.admin.ledger import LimitAdmin, RunAdmin
    from openedx_ai_extensions.admin.model_view import ModelViewAdmin
    from openedx_ai_extensions.admin.policy import ConsentAdmin, NoticeAdmin, PauseAdmin
    from openedx_ai_extensions.admin.profiles.profile_admin import ProfileAdmin
    from openedx_ai_extensions.admin.prompts import PromptAdmin
    from openedx_ai_extensions.admin.scopes.scope_admin import ScopeAdmin
    from openedx_ai_extensions.admin.sessions import SessionAdmin
    from openedx_ai_extensions.admin.usage import UsageAdmin

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
