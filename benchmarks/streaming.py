"""CPU time of one streamed chunk, against LiteLLM's own stream with default settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from benchmarks.measure import fake_provider, median_ratio, report

CHUNKS = 2000
ANTHROPIC = "anthropic/claude-fake"
# How each is read: the provider's own bytes; what LiteLLM understands of them, by one of its readers, and by another.
READ = {"openai/fake": 0.11, ANTHROPIC: 0.25, "hosted_vllm/fake": 0.25}
MAX_RESPONSES_RATIO = 1.2
MESSAGES = [{"role": "user", "content": "Tell me a long story."}]


def main() -> None:
    with fake_provider("--chunks", str(CHUNKS)) as url:
        _run(url)


def _run(url: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import django

    django.setup()
    import litellm
    from django.test.utils import override_settings

    from openedx_ai_extensions.processors.llm.provider import gateway
    from openedx_ai_extensions.processors.llm.provider.types import Thread

    def per_chunk(read: Callable[[], None]) -> Callable[[], float]:
        def measure() -> float:
            start = time.process_time()
            read()
            return (time.process_time() - start) / CHUNKS

        return measure

    seen = {}

    def default(entry: dict[str, str]) -> None:
        litellm.disable_streaming_logging = False
        arguments = {"model": entry["MODEL"], "api_base": entry["API_BASE"], "api_key": "k", "messages": MESSAGES}
        for chunk in litellm.completion(**arguments, stream=True):
            chunk.choices[0].delta.content  # noqa: B018  # what any reader does

    def responses(entry: dict[str, str]) -> None:
        litellm.disable_streaming_logging = False
        arguments = {"model": entry["MODEL"], "api_base": entry["API_BASE"], "api_key": "k", "input": MESSAGES}
        for event in litellm.responses(**arguments, stream=True):
            getattr(event, "delta", None)

    def ours(thread: Thread | None = None) -> None:
        stream = gateway.stream(gateway.Request(provider="default", messages=MESSAGES, thread=thread))
        seen["bytes"] = sum(len(chunk) for chunk in stream)
        seen["usage"] = stream.reading.usage

    for model, limit in READ.items():
        entry = {"MODEL": model, "API_KEY": "k", "API_BASE": url if model != ANTHROPIC else url.removesuffix("/v1")}
        with override_settings(AI_EXTENSIONS={"default": entry}):
            default(entry)
            ours()
            figures = median_ratio(per_chunk(ours), per_chunk(lambda entry=entry: default(entry)), 5)
        report(f"CPU per chunk over {CHUNKS}, {model} / litellm.completion(stream=True)", figures, limit)
        print(f"  usage survives: {seen['usage']}; bytes read: {seen['bytes']}")
    entry = {"MODEL": "openai/fake", "API_KEY": "k", "API_BASE": url}
    with override_settings(AI_EXTENSIONS={"default": entry}):
        ours(Thread())
        responses(entry)
        figures = median_ratio(per_chunk(lambda: ours(Thread())), per_chunk(lambda: responses(entry)), 5)
    report(f"CPU per chunk over {CHUNKS}, Responses API / litellm.responses(stream=True)", figures, MAX_RESPONSES_RATIO)


if __name__ == "__main__":
    main()
