"""A step of openedx-filters: the model gets a mark in place of long numbers."""

import re
from collections.abc import Mapping
from typing import Any

from openedx_filters.filters import PipelineStep

LONG_NUMBER = re.compile(r"[0-9]{7,}")


class HideNumbers(PipelineStep):
    """For ``org.openedx.ai_extensions.run.requested.v1``."""

    def run_filter(self, text: str, run: Mapping[str, Any], **_more: Any) -> dict[str, str]:
        return {"text": LONG_NUMBER.sub("[number]", text)}
