"""An orchestrator that remembers."""

from typing import Any

from django.db import transaction

from glossary.processors import GlossaryProcessor
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.tools import ToolContext
from openedx_ai_extensions.workflows.orchestrators import Result, ScopedSessionOrchestrator, action
from openedx_ai_extensions.workflows.orchestrators.base import input_text


class PersonalGlossary(ScopedSessionOrchestrator):
    """Defines terms, and keeps the definitions: one list for each learner and course."""

    @action
    def run(self, user_input: Any) -> Result:
        term = input_text(user_input)
        if not term:
            raise InvalidRequest("Which term shall be defined?")
        answer = GlossaryProcessor(
            self.profile.processor_config,
            extra_params={"stream": False},
            tool_context=ToolContext(self.user, self.course_id, self.location_id, get_platform()),
        ).process(context=self.course_content(), input_data=term)
        self._keep(term, answer["response"])
        return self.result(answer["response"], answer["usage"])

    def _keep(self, term: str, definition: str) -> None:
        # Another tab may add a term at the same moment, so the row is locked and read anew.
        with transaction.atomic():
            session = AIWorkflowSession.objects.select_for_update().get(pk=self.session.pk)
            session.metadata.setdefault("terms", {})[term] = definition
            session.save(update_fields=["metadata", "updated_at"])

    def current_response(self) -> dict[str, str] | None:
        return self.session.metadata.get("terms")
