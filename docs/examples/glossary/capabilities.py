"""What another kind of provider can do."""

from openedx_ai_extensions.processors.llm import CAPABILITIES, Capabilities

# OpenRouter hands Anthropic's cache marks on; LiteLLM leaves them out for models that do not know them.
CAPABILITIES["openrouter"] = Capabilities(caches_marked_prefixes=True)
