"""CPU time of one streamed chunk, against LiteLLM's own stream with default settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from benchmarks.measure import fake_provider, median_ratio, report

CHUNKS = 2000
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

    from openedx_ai_extensions.processors.llm import gateway

    def per_chunk(read: Callable[[], None]) -> Callable[[], float]:
        def measure() -> float:
            start = time.process_time()
            read()
            return (time.process_time() - start) / CHUNKS

        return measure

    seen = {}

    def default() -> None:
        litellm.disable_streaming_logging = False
        arguments = {"model": "openai/fake", "api_base": url, "api_key": "k", "messages": MESSAGES, "stream": True}
        for chunk in litellm.completion(**arguments):
            chunk.choices[0].delta.content  # noqa: B018  # what any reader does

    def ours() -> None:
        stream = gateway.stream(gateway.Request(provider="default", messages=MESSAGES))
        seen["bytes"] = sum(len(chunk) for chunk in stream)
        seen["usage"] = stream.usage

    with override_settings(AI_EXTENSIONS={"default": {"MODEL": "openai/fake", "API_KEY": "k", "API_BASE": url}}):
        default()
        ours()
        figures = median_ratio(per_chunk(ours), per_chunk(default), 5)
    report(f"CPU per chunk over {CHUNKS} / litellm.completion(stream=True)", figures, 0.55)
    print(f"  usage survives: {seen['usage']}; bytes read: {seen['bytes']}")


if __name__ == "__main__":
    main()
