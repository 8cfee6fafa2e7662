"""The shortest extension: an orchestrator and a processor, without a mark or a base of results."""
