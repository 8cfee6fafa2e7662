"""The notice that a person accepts before a model is asked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from openedx_ai_extensions.api.v1.access import require_can_view
from openedx_ai_extensions.api.v1.errors import timestamp
from openedx_ai_extensions.api.v1.views import WidgetView
from openedx_ai_extensions.exceptions import InvalidRequest, WorkflowNotFound
from openedx_ai_extensions.models import AIWorkflowScope
from openedx_ai_extensions.policy.consent import Terms, accept, has_accepted, terms_for, withdraw


class ConsentView(WidgetView):
    """What there is to accept at a place, and whether this person has. Neither needs AI to be there at the moment."""

    def get(self, request: Request) -> Response:
        return _state(request.user, self._terms(request))

    def post(self, request: Request) -> Response:
        """Accept exactly what was shown, or take back all that was accepted of the notice."""
        terms = self._terms(request)
        body = dict(request.data)
        accepted = body.get("accepted")
        if not isinstance(accepted, bool):
            raise InvalidRequest(_("accepted is required, as true or false."))
        if terms is not None:
            if not accepted:
                withdraw(request.user, terms)
            elif body.get("fingerprint") != terms.fingerprint:
                raise InvalidRequest(
                    _("The notice has changed. Please read it again."), extra={"notice": terms.as_dict()}
                )
            else:
                accept(request.user, terms)
        return _state(request.user, terms)

    def _terms(self, request: Request) -> Terms | None:
        context = self.context
        require_can_view(request.user, context)
        scope = AIWorkflowScope.get_profile(context.course_id, context.usage_key, context.ui_slot_selector_id)
        if scope is None or not scope.profile.is_usable:
            raise WorkflowNotFound
        return terms_for(scope.profile)


def _state(user: Any, terms: Terms | None) -> Response:
    return Response(
        {
            "required": terms is not None,
            "accepted": terms is not None and has_accepted(user, terms),
            "notice": terms.as_dict() if terms else None,
            "timestamp": timestamp(),
        }
    )
