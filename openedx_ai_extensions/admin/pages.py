"""All admin pages. Importing this module registers them; the app's ``ready`` does so if all required apps are there."""

from openedx_ai_extensions.admin.dry_run import TryItAdmin
from openedx_ai_extensions.admin.feedback import FeedbackAdmin
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
    "FeedbackAdmin",
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
