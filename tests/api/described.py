"""The OpenAPI description of the endpoints, as drf-spectacular makes it of the test site."""

from functools import cache
from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from openedx_ai_extensions.api.v1.openapi.settings import SPECTACULAR


@cache
def description() -> dict[str, Any]:
    """Made once; there must be nothing to warn of."""
    with patched_settings(dict(SPECTACULAR)):
        made = SchemaGenerator().get_schema(public=True)
    assert not GENERATOR_STATS
    return made
