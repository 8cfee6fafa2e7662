"""What is left of the limits that hold for a person at a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from openedx_ai_extensions.api.v1.access import is_site_staff, require_can_view
from openedx_ai_extensions.api.v1.errors import timestamp
from openedx_ai_extensions.api.v1.views import WidgetView
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.ledger.limits import Amounts, Limit, LimitKind
from openedx_ai_extensions.ledger.quota import money
from openedx_ai_extensions.models import AILimit, AIWorkflowScope
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.llm.provider.providers import find_provider


class LimitsView(WidgetView):
    """What a widget may tell a person before the next request. Looking reserves nothing and writes nothing."""

    def get(self, request: Request) -> Response:
        context = self.context
        require_can_view(request.user, context)
        scope = AIWorkflowScope.get_profile(context.course_id, context.usage_key, context.ui_slot_selector_id)
        run = Run(
            user=request.user,
            course_id=context.course_key,
            location_id=context.usage_key,
            profile_id=scope.profile_id if scope else None,
            profile_slug=scope.profile.slug if scope else "",
        )
        status = sorted(run.limit_status(_provider(scope)), key=lambda pair: (pair[0].breadth, pair[0].resets_at))
        shows_all = is_site_staff(request.user)
        limits = [entry for limit, used in status for entry in _entries(limit, used, shows_all=shows_all)]
        return Response({"limits": limits, "timestamp": timestamp()})


def _provider(scope: AIWorkflowScope | None) -> str | None:
    """The name of the provider that is asked first; None when there is none."""
    if scope is None or not scope.profile.is_usable:
        return None
    try:
        return find_provider(LLMProcessor(scope.profile.processor_config).provider).name
    except LLMConfigError:
        return None


def _entries(limit: Limit, used: Amounts, *, shows_all: bool) -> Iterator[dict[str, Any]]:
    for kind, allowed in limit.allowed.items():
        left = max(allowed - used.of(kind), 0)
        entry: dict[str, Any] = {"scope": str(limit.per), "period": str(limit.period), "kind": str(kind)}
        # What others use, and what it costs, is no learner's business; that it is used up is.
        if shows_all or (limit.per == AILimit.Per.PERSON and kind != LimitKind.MONEY):
            amounts = {"limit": allowed, "used": used.of(kind), "left": left}
            entry |= {name: _shown(kind, amount) for name, amount in amounts.items()}
        else:
            entry |= {"limit": None, "used": None, "left": None}
        # Nothing of nothing does not come back.
        yield entry | {"exhausted": not left, "resets_at": limit.resets_at.isoformat() if allowed else None}


def _shown(kind: LimitKind, amount: int) -> int | str:
    """Money as a decimal number in a text, as JSON's numbers would not keep it."""
    return str(money(amount)) if kind == LimitKind.MONEY else amount
