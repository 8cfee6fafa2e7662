"""Orchestrators as an extension would write them, named by dotted path in the tests."""

from openedx_ai_extensions.workflows.orchestrators import BaseOrchestrator, DirectLLMResponse, Result, action


class Greeter(BaseOrchestrator):
    secret = "not an action"

    @action
    def run(self, user_input):
        return self.result(f"hello {user_input}")

    @action
    def shout(self, user_input):
        return Result(str(user_input).upper(), status="shouted", extra={"loud": True})

    def unmarked(self, user_input):
        return self.result("must never run")

    @staticmethod
    def _private(user_input):
        return Result("must never run")


class LoudGreeter(Greeter):
    """Overrides a published action without repeating the mark."""

    def run(self, user_input):
        return self.result(f"HELLO {user_input}")


class Farewell:
    """A mixin may publish actions too."""

    @action
    def leave(self, user_input):
        return Result("bye")


class PoliteGreeter(Farewell, Greeter):
    pass


class ShortAnswer(DirectLLMResponse):
    def course_content(self):
        return "Only this sentence."


NOT_AN_ORCHESTRATOR = Farewell
