"""What the university's own model server can do."""

from openedx_ai_extensions.processors.llm import CAPABILITIES, Capabilities

CAPABILITIES["hosted_vllm"] = Capabilities(streams_usage=False)
