"""The Django admin: one module per model."""

from openedx_ai_extensions.admin.consent import ConsentAdmin
from openedx_ai_extensions.admin.health import HealthAdmin
from openedx_ai_extensions.admin.limit import LimitAdmin
from openedx_ai_extensions.admin.model_view import ModelViewAdmin
from openedx_ai_extensions.admin.notice import NoticeAdmin
from openedx_ai_extensions.admin.pause import PauseAdmin
from openedx_ai_extensions.admin.profile import ProfileAdmin
from openedx_ai_extensions.admin.prompt import PromptAdmin
from openedx_ai_extensions.admin.run import RunAdmin
from openedx_ai_extensions.admin.scope import ScopeAdmin
from openedx_ai_extensions.admin.session import SessionAdmin
from openedx_ai_extensions.admin.try_it import TryItAdmin
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
