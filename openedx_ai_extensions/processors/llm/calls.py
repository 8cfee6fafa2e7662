"""A call to a model that somebody pays for: reserved in the ledger before, settled after."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openedx_ai_extensions import conf
from openedx_ai_extensions.accounting import Hold, Outcome, Run
from openedx_ai_extensions.processors.llm import gateway, rehearsal
from openedx_ai_extensions.processors.llm.circuit import Circuit, ProviderRests
from openedx_ai_extensions.processors.llm.exchange import Answer, Completion, Request, ToolCall, estimated_tokens
from openedx_ai_extensions.processors.llm.fallback import ask_in_turn
from openedx_ai_extensions.processors.llm.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.stream import Chunks, TextStream
from openedx_ai_extensions.workflows.trial import current_trial, is_rehearsal

SLACK = 30  # seconds between the end of a call and the settlement of its run
OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def complete(request: Request) -> Completion:
    """Ask for a whole answer, of the request's provider or of one that stands in for it.

    Raises:
        QuotaExceeded: the site's limits do not allow it.
        AIExtensionsError: the provider failed; see ``gateway``.
    """
    if is_rehearsal():
        return rehearsal.complete(_noted(request))
    return ask_in_turn(request, _complete)


def stream(request: Request) -> Answer:
    """Ask for an answer as it is written; returns when the model has begun.

    Raises:
        QuotaExceeded: the site's limits do not allow it.
        AIExtensionsError: the provider failed before that; see ``gateway``.
    """
    if is_rehearsal():
        return rehearsal.MockStream(_noted(request))
    return ask_in_turn(request, _stream)


def _noted(request: Request) -> Request:
    """The request; whoever tries the workflow out gets to see it."""
    trial = current_trial()
    if trial is not None:
        trial.requests.append(request)
    return request


def _complete(request: Request) -> Completion:
    answer = _remembered(request)
    if answer is not None:
        return answer
    call = _Call(_noted(request))
    try:
        answer = gateway.complete(request)
    except BaseException as error:
        call.failed(error)
        raise
    call.run.first_token()
    call.settle(answer.usage, answer.text)
    if not answer.tool_calls:
        gateway.remember(request, answer.text, answer.model_used)
    return answer


def _stream(request: Request) -> Answer:
    answer = _remembered(request)
    if answer is not None:
        return answer
    call = _Call(_noted(request))
    try:
        return _Metered(gateway.stream(request), call)
    except BaseException as error:
        call.failed(error)
        raise


def _remembered(request: Request) -> Completion | None:
    """The answer from the response cache: a request like any other for the limits, but it takes nothing."""
    answer = gateway.recall(request)
    if answer is not None:
        call = _Call(request, is_cached=True)
        call.run.served_from_cache()
        call.run.first_token()
        call.settle(answer.usage, answer.text)
    return answer


class _Call:
    """One call in the ledger. A call outside of any run is a run of its own.

    Raises:
        ProviderRests: the provider kept failing, and is not asked now.
        QuotaExceeded: the site's limits do not allow it.
    """

    def __init__(self, request: Request, *, is_cached: bool = False) -> None:
        self.request = request
        self.run = request.run or Run(user=None)
        provider = find_provider(request.provider)
        total = request.seconds or gateway.total_seconds(request.provider)
        self._circuit = None if is_cached else self._enter(provider, request.begin_within or total)
        hold = Hold(
            provider=provider.name,
            model=provider.model,
            prompt_tokens=0 if is_cached else estimated_tokens(request),
            completion_tokens=0 if is_cached else _expected(request.options),
            price=gateway.price(provider),
            seconds=total + SLACK,
        )
        try:
            self.run.reserve(hold)
        except BaseException:
            if self._circuit is not None:
                self._circuit.let_go()
            raise

    def _enter(self, provider: Provider, seconds: float) -> Circuit:
        try:
            return Circuit(provider, seconds)
        except ProviderRests:
            self.run.passed_over(provider.name, provider.model)
            raise

    def began(self) -> None:
        """The model has said something."""
        self.run.first_token()
        if self._circuit is not None:
            self._circuit.began()

    def failed(self, error: BaseException) -> None:
        """The provider was asked and gave nothing."""
        if self._circuit is not None:
            self._circuit.failed(error)
        self._end(Outcome.FAILED)

    def settle(
        self,
        usage: Mapping[str, int],
        text: str,
        *,
        outcome: str = Outcome.COMPLETED,
        error: BaseException | None = None,
    ) -> None:
        """Write down what it took: as the provider says, else as we count."""
        if self._circuit is not None:
            self._judge(self._circuit, outcome, error)
        is_estimated = "completion_tokens" not in usage
        if is_estimated:
            sent = json.dumps([*self.request.messages, *self.request.tools], ensure_ascii=False, default=str)
            usage = {"prompt_tokens": gateway.count_tokens(sent), "completion_tokens": gateway.count_tokens(text)}
        self.run.used(usage, is_estimated=is_estimated)
        self._end(outcome)

    @staticmethod
    def _judge(circuit: Circuit, outcome: str, error: BaseException | None) -> None:
        if error is not None:
            circuit.failed(error)
        elif outcome == Outcome.COMPLETED:
            circuit.worked()
        else:
            circuit.let_go()

    def _end(self, outcome: str) -> None:
        if not self.run.has_keeper:
            self.run.end(outcome)


class _Metered(Chunks):
    """An answer that arrives, on its way through the meter."""

    def __init__(self, answer: TextStream, call: _Call) -> None:
        self._answer = answer
        self._chunks: Iterator[bytes] = iter(answer)
        self._call = call
        self._said: list[bytes] = []
        self._is_settled = False

    @property
    def usage(self) -> Mapping[str, int]:
        return self._answer.usage

    @property
    def model_used(self) -> str:
        return self._answer.model_used

    @property
    def tool_calls(self) -> Sequence[ToolCall]:
        return self._answer.tool_calls

    @property
    def response_id(self) -> str:
        return self._answer.response_id

    @property
    def request(self) -> Request:
        return self._call.request

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._settle(Outcome.COMPLETED)
            if not self.tool_calls:
                gateway.remember(self.request, self._text(), self.model_used)
            raise
        except BaseException as error:
            self._settle(Outcome.FAILED, error)
            raise
        if chunk:
            self._call.began()
            self._said.append(chunk)
        return chunk

    def close(self) -> None:
        """Stop: nobody waits for the rest, but what was said is paid for."""
        self._answer.close()
        self._settle(Outcome.CANCELLED)

    def _text(self) -> str:
        return b"".join(self._said).decode()

    def _settle(self, outcome: str, error: BaseException | None = None) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._call.settle(self._answer.usage, self._text(), outcome=outcome, error=error)


def _expected(options: Mapping[str, Any]) -> int:
    """How many tokens to reserve for the answer: as many as it may have, where that is known."""
    stated = next((options[name] for name in OUTPUT_LIMITS if options.get(name)), None)
    return stated if isinstance(stated, int) else int(conf.get("AI_EXTENSIONS_EXPECTED_ANSWER_TOKENS"))
