"""Orchestrators with actions of their own: with a session, without one, and one that streams."""

from sample_ai_extension.processors import StudyPlanProcessor

from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.workflows.orchestrators import BaseOrchestrator, Result, action
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import ScopedSessionOrchestrator


class StudyPlan(ScopedSessionOrchestrator):
    """Writes a plan, keeps it for the course, and ticks off what is done."""

    @action
    def run(self, user_input):
        content = OpenEdXProcessor(
            processor_config=self.profile.processor_config,
            location_id=self.location_id,
            course_id=self.course_id,
            user=self.user,
        ).process()
        answer = StudyPlanProcessor(
            self.profile.processor_config, user_session=self.session, extra_params={"stream": False}
        ).process(context=content, input_data=str(user_input or ""), chat_history=[])
        assert answer["status"] == "completed"
        self.session.metadata = {"response": {"plan": answer["response"], "model": answer["model_used"], "done": []}}
        self.session.save()
        return self.result(answer["response"], answer["usage"])

    @action
    def tick_off(self, user_input):
        kept = self.session.metadata.get("response")
        if kept is None:
            raise InvalidRequest("There is no plan yet.")
        kept["done"].append(user_input)
        self.session.save()
        return Result(kept["done"], extra={"left": 7 - len(kept["done"])})

    def not_an_action(self, _user_input):
        return Result("never reached")


class Countdown(BaseOrchestrator):
    """Needs no model; prepares its instances itself, and streams."""

    @classmethod
    def get_orchestrator(cls, *, workflow, user, context):
        orchestrator = super().get_orchestrator(workflow=workflow, user=user, context=context)
        orchestrator.name = user.get_username()
        return orchestrator

    @action
    def run(self, user_input):
        return self.stream(f"{number} {self.name} ".encode() for number in range(int(user_input or 3), 0, -1))
