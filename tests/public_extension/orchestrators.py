"""Orchestrators that override ``run`` without a mark, and give back dictionaries and generators."""

from datetime import UTC, datetime

from openedx_ai_extensions.processors.llm.llm_processor import LLMProcessor
from openedx_ai_extensions.processors.openedx.openedx_processor import OpenEdXProcessor
from openedx_ai_extensions.workflows.orchestrators.base_orchestrator import BaseOrchestrator
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import SessionBasedOrchestrator
from tests.public_extension import tools  # noqa: F401  # publishes what is in it
from tests.public_extension.processors import CoachProcessor


class Coach(SessionBasedOrchestrator):
    """Reads the unit, asks by a processor of its own, and counts in its session."""

    def run(self, input_data):
        content = OpenEdXProcessor(
            processor_config=self.profile.processor_config,
            location_id=self.location_id,
            course_id=self.course_id,
            user=self.user,
        ).process()
        if "error" in content:
            return {"error": content["error"], "status": "OpenEdXProcessor error"}
        answer = CoachProcessor(self.profile.processor_config, self.session).process(
            context=str(content), input_data=input_data, chat_history=[]
        )
        if "error" in answer:
            return {"error": answer["error"], "status": "LLMProcessor error"}
        self._remember(content["display_name"])
        return {"response": answer["response"], "status": "completed"}

    def _remember(self, title):
        self.session.metadata["asked"] = self.session.metadata.get("asked", 0) + 1
        self.session.metadata["title"] = title
        self.session.save(update_fields=["metadata"])

    def get_current_session_response(self, _user_input):
        return {"response": self.session.metadata.get("asked")}

    def helper(self, _user_input):
        raise AssertionError("must never run")

    def save(self, _user_input):
        raise AssertionError("must never run")


class Handed(BaseOrchestrator):
    """Hands on what the processor gives."""

    def run(self, input_data):
        return LLMProcessor(self.profile.processor_config).process(context="", input_data=input_data)


class Lazy(BaseOrchestrator):
    """Its ``run`` is a generator: nothing happens before somebody reads."""

    def run(self, input_data):
        yield "Well: "
        self.answer = LLMProcessor(self.profile.processor_config).process(input_data=input_data)
        yield from self.answer
        yield "🌱".encode()[:2]
        yield "🌱".encode()[2:]


class Failing(BaseOrchestrator):
    def run(self, input_data):
        return {"error": input_data or {"secret": "inside"}, "status": "error"}


class Odd(BaseOrchestrator):
    """Gives nothing back."""

    def run(self, input_data):
        return None


class FailingInBackground(Failing, SessionBasedOrchestrator):
    pass


class OddInBackground(Odd, SessionBasedOrchestrator):
    pass


class LazyInBackground(Lazy, SessionBasedOrchestrator):
    pass


class DatedInBackground(SessionBasedOrchestrator):
    """Gives back what JSON does not know by itself."""

    def run(self, input_data):
        return {"response": {"at": datetime(2026, 11, 30, tzinfo=UTC)}, "status": "completed"}


class Idle(SessionBasedOrchestrator):
    """Does nothing."""

    def work(self, input_data):
        raise AssertionError("must never run")


class Ours(BaseOrchestrator):
    """A class attribute is no action, whatever its name."""

    run = "not a method"
