"""Calls of models with accounting: reserved in the ledger before, settled afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.long_waits import reconnect
from openedx_ai_extensions.core.portable import is_whole
from openedx_ai_extensions.exceptions import RunCancelled
from openedx_ai_extensions.execution.answers import OUTPUT_LIMITS, FinishReason
from openedx_ai_extensions.execution.execution import current_execution
from openedx_ai_extensions.ledger import Outcome, Reservation, Run
from openedx_ai_extensions.ledger.prices import bounded_tokens
from openedx_ai_extensions.processors.llm.provider import gateway
from openedx_ai_extensions.processors.llm.provider.answer_cache import response_cache
from openedx_ai_extensions.processors.llm.provider.circuit import Circuit, CircuitOpen
from openedx_ai_extensions.processors.llm.provider.providers import (
    count_tokens,
    find_provider,
    replaced_models,
)
from openedx_ai_extensions.processors.llm.provider.retry import call_with_fallbacks
from openedx_ai_extensions.processors.llm.provider.stream import Chunks, TextStream
from openedx_ai_extensions.processors.llm.provider.types import Answer, Completion, Reading, Request

SETTLE_MARGIN_SECONDS = 30  # between the maximum duration of a call and the end of its reservation
CHARACTERS_PER_TOKEN = 4  # approximate; for reasoning, whose text is not kept

Value = TypeVar("Value")


def complete(request: Request) -> Completion:
    """Request a complete answer from the request's provider or a fallback.

    Raises:
        QuotaExceeded: the site's limits do not allow it.
        AIExtensionsError: the provider failed; see ``gateway``.
    """
    models = replaced_models()
    if models is None:
        return call_with_fallbacks(request, _complete)
    _notify_execution(request)
    return models.complete(request)


def stream(request: Request) -> Answer:
    """Request a streamed answer; returns when the model has started.

    Raises:
        QuotaExceeded: the site's limits do not allow it.
        AIExtensionsError: the provider failed before it started; see ``gateway``.
    """
    models = replaced_models()
    if models is None:
        return call_with_fallbacks(request, _stream)
    _notify_execution(request)
    return models.stream(request)


def _notify_execution(request: Request) -> None:
    execution = current_execution()
    if execution is not None:
        execution.on_request(request)


def _complete(request: Request) -> Completion:
    stored = _stored_answer(request)
    if stored is not None:
        return stored
    answer, call = _metered(request, gateway.complete)
    call.run.record_first_token()
    call.settle(answer.reading, answer.text)
    _store_answer(request, answer.reading, answer.text)
    return answer


def _stream(request: Request) -> Answer:
    stored = _stored_answer(request)
    return _MeteredAnswer(*_metered(request, gateway.stream)) if stored is None else stored


def _metered(request: Request, ask: Callable[[Request], Value]) -> tuple[Value, _Call]:
    """Call a provider, with accounting."""
    _notify_execution(request)
    call = _Call(request)
    try:
        return ask(request), call
    except BaseException as error:
        call.failed(error)
        raise


def _stored_answer(request: Request) -> Completion | None:
    """The answer from the response cache. It counts as a request for the limits, but uses no tokens."""
    cache = response_cache() if request.may_be_cached else None
    answer = cache.get(request) if cache is not None else None
    if answer is not None:
        call = _Call(request, is_cached=True)
        call.run.record_cache_hit()
        call.run.record_first_token()
        call.settle(answer.reading, answer.text)
    return answer


def _store_answer(request: Request, reading: Reading, text: str) -> None:
    """Store a complete answer in the response cache."""
    cache = response_cache() if request.may_be_cached and reading.finish_reason is FinishReason.STOP else None
    if cache is not None:
        cache.put(request, text, reading.model_used)


def estimated_tokens(request: Request) -> int:
    """The approximate number of tokens in a request: four bytes per token, without a tokenizer."""
    sent = [*request.messages, *request.tools]
    return sum(len(str(part).encode("utf-8", "replace")) for part in sent) // 4


class _Call:
    """The accounting of one call. A call outside of a run gets a run of its own.

    Raises:
        CircuitOpen: the provider kept failing, and is skipped.
        QuotaExceeded: the site's limits do not allow it.
    """

    def __init__(self, request: Request, *, is_cached: bool = False) -> None:
        self.request = request
        self.run = request.run or Run(user=None)
        self._is_cached = is_cached
        provider = find_provider(request.provider)
        total = request.seconds or provider.total_timeout
        try:
            seconds = request.begin_within or total
            self._circuit = None if is_cached else Circuit(provider, seconds, self.run.row.user_id)
        except CircuitOpen:
            self.run.record_skipped(provider.name, provider.model)
            raise
        hold = Reservation(
            provider=provider.name,
            model=provider.model,
            prompt_tokens=0 if is_cached else estimated_tokens(request),
            completion_tokens=0 if is_cached else _expected_tokens(request.options),
            price=provider.price,
            seconds=total + SETTLE_MARGIN_SECONDS,
        )
        try:
            self.run.reserve(hold)
            if request.on_admitted is not None:
                request.on_admitted()
        except BaseException:
            if self._circuit is not None:
                self._circuit.abandon()
            raise

    def began(self) -> None:
        """The model has started to answer."""
        self.run.record_first_token()
        if self._circuit is not None:
            self._circuit.began()

    def failed(self, error: BaseException) -> None:
        """The provider failed before the answer started."""
        if isinstance(error, RunCancelled) and error.reached_provider:
            self.settle(Reading(), "", outcome=Outcome.CANCELLED)  # the provider may charge for it
            return
        reconnect()
        if self._circuit is not None:
            self._circuit.failed(error)
        self._end(Outcome.CANCELLED if isinstance(error, RunCancelled) else Outcome.FAILED)

    def settle(
        self,
        reading: Reading,
        text: str,
        *,
        outcome: str = Outcome.COMPLETED,
        error: BaseException | None = None,
    ) -> None:
        """Settle the call with the usage that the provider reports, otherwise with an estimate."""
        reconnect()
        if self._circuit is not None:
            if error is not None:
                self._circuit.failed(error)
            elif outcome == Outcome.COMPLETED:
                self._circuit.began()
            else:
                self._circuit.abandon()
        usage = reading.usage if self._is_cached else self._counted(reading, text)
        self.run.record_usage(usage, is_estimated=usage is not reading.usage, finish_reason=reading.finish_reason or "")
        self._end(outcome)

    def _counted(self, reading: Reading, text: str) -> Mapping[str, int]:
        """The reported usage, with estimates for missing numbers.

        For an interrupted answer, a provider has at most reported what it knew at the start.
        """
        usage = reading.usage
        estimates = {}
        if not usage.get("prompt_tokens"):
            sent = json.dumps([*self.request.messages, *self.request.tools], ensure_ascii=False, default=str)
            estimates["prompt_tokens"] = count_tokens(sent)
        if not usage.get("completion_tokens") or reading.finish_reason is None:
            said = text + "".join(call.name + call.arguments for call in reading.tool_calls)
            counted = count_tokens(said) + reading.thought_length // CHARACTERS_PER_TOKEN
            estimates["completion_tokens"] = max(counted, usage.get("completion_tokens", 0))
        return usage if not any(estimates.values()) else {**usage, **estimates}

    def _end(self, outcome: str) -> None:
        if not self.run.is_managed:
            self.run.end(outcome)


class _MeteredAnswer(Chunks):
    """A streamed answer whose call is settled when it ends."""

    def __init__(self, answer: TextStream, call: _Call) -> None:
        self._answer = answer
        self._chunks: Iterator[bytes] = iter(answer)
        self._call = call
        self._said: list[bytes] = []
        self._is_settled = False

    @property
    def reading(self) -> Reading:
        return self._answer.reading

    @property
    def request(self) -> Request:
        return self._call.request

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._settle(Outcome.COMPLETED)
            _store_answer(self.request, self.reading, self._text())
            raise
        except RunCancelled:
            self._settle(Outcome.CANCELLED)
            raise
        except BaseException as error:
            self._settle(Outcome.FAILED, error)
            raise
        if chunk:
            self._call.began()
            self._said.append(chunk)
        return chunk

    def close(self) -> None:
        """Stop the stream. The part that was received is settled."""
        self._answer.close()
        self._settle(Outcome.CANCELLED)

    def _text(self) -> str:
        return b"".join(self._said).decode()

    def _settle(self, outcome: str, error: BaseException | None = None) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._call.settle(self.reading, self._text(), outcome=outcome, error=error)


def _expected_tokens(options: Mapping[str, Any]) -> int:
    """The tokens to reserve for the answer: the configured maximum, otherwise the site's estimate."""
    stated = next((options[name] for name in OUTPUT_LIMITS if options.get(name)), None)
    if is_whole(stated):
        return bounded_tokens(stated)
    return int(conf.get("AI_EXTENSIONS_COSTS.EXPECTED_ANSWER_TOKENS"))
