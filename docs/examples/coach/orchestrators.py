"""An orchestrator that gives back dictionaries."""

from typing import Any

from coach.processors import CoachProcessor
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.workflows.orchestrators import SessionBasedOrchestrator


class Coach(SessionBasedOrchestrator):
    """Advises on the unit on screen, and counts how often it did."""

    def run(self, input_data: Any) -> dict[str, Any]:
        content = OpenEdXProcessor(
            processor_config=self.profile.processor_config,
            location_id=self.location_id,
            course_id=self.course_id,
            user=self.user,
        ).process()
        if not content.get("blocks"):
            return {"error": "There is nothing to read on this page.", "status": "error"}
        answer = CoachProcessor(self.profile.processor_config, self.session).process(
            context=content, input_data=input_data
        )
        self.session.metadata["asked"] = self.session.metadata.get("asked", 0) + 1
        self.session.save(update_fields=["metadata"])
        return {"response": answer["response"], "status": "completed", "unit": content["display_name"]}
