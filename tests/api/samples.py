"""Orchestrators with faults, named by dotted path in the tests."""

from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.workflows.orchestrators import BaseOrchestrator, Result, action


class Faulty(BaseOrchestrator):
    @action
    def run(self, user_input):
        return 1 / len(user_input[:0])


class FaultyStream(BaseOrchestrator):
    @action
    def run(self, user_input):
        return self.stream(self.chunks(user_input))

    @staticmethod
    def chunks(user_input):
        yield b"fine "
        yield b"%d" % (1 / len(user_input[:0]))


class SilentStream(BaseOrchestrator):
    """Alive, but thinking."""

    @action
    def run(self, user_input):
        return self.stream(chunk for chunk in (b"one ", b"", b"", b"two"))


class Unanswerable(BaseOrchestrator):
    """Answers with what JSON cannot hold."""

    @action
    def run(self, user_input):
        return Result({"gate": object(), "number": float("inf")})


class Enough(AIExtensionsError):
    code = "enough_for_today"
    http_status = 429
    default_message = "That is enough for today."


class Refusing(BaseOrchestrator):
    @action
    def run(self, user_input):
        raise Enough(extra={"limit": 5, "resets_at": "2030-01-01T00:00:00+00:00"}, retry_after=60)
