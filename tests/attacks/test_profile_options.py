"""The options of a profile say how a model answers. They send the question nowhere else, and nothing else along."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from openedx_ai_extensions.core.provider_parameters import MODEL_OPTIONS, RESERVED_OPTION
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.configuration import ConfigurationQuerySet
from tests.api.conftest import Api
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

pytestmark = [pytest.mark.django_db, pytest.mark.once]

HERE = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": SLOT}
HOSTILE = {
    "custom_llm_provider": "deepseek",
    "provider_specific_header": {"custom_llm_provider": "openai", "extra_headers": {"X-Injected": "1", "Host": "evil"}},
    "organization": "org-theirs",
    "ssl_verify": False,
    "use_litellm_proxy": True,
    "client": "theirs",
    "mcp_servers": [{"url": "https://mcp.example.com"}],
    "n": 50,
    "metadata": {"user": "x"},
    "user": "x",
    "store": True,
    "background": True,
    "previous_response_id": "resp_1",
    "prompt_id": "theirs",
    "callbacks": ["https://log.example.com"],
    "proxy_server_request": {"url": "https://log.example.com"},
    "no_such_option": 1,
}


def with_options(options, *, stream=True):
    return {"processor_config": {"LLMProcessor": {"stream": stream, "options": options}}}


@pytest.mark.parametrize("option", HOSTILE)
@pytest.mark.parametrize("stream", [True, False])
def test_what_is_no_option_of_models_goes_nowhere(make_scope, learner, provider, option, stream):
    scope = make_scope()
    rows = AIWorkflowProfile.objects.filter(pk=scope.profile_id)
    # As an older release may have stored it.
    patch = json.dumps(with_options({"temperature": 0.5, option: HOSTILE[option]}, stream=stream))
    super(ConfigurationQuerySet, rows).update(content_patch=patch)
    response = Api(learner).run("Why?", context=HERE)
    if response.streaming:
        b"".join(response.streaming_content)
    for request in provider.requests:
        assert request["temperature"] == 0.5
        assert option not in request
        assert not {"x-injected", "openai-organization"} & {name.lower() for name in request["headers"]}
    assert len(provider.requests) == 1


@pytest.mark.parametrize("option", HOSTILE)
def test_whoever_saves_it_hears_of_it(make_scope, option):
    if RESERVED_OPTION.fullmatch(option):
        with pytest.raises(ValidationError, match="A profile cannot set this"):
            make_scope(patch=with_options({option: HOSTILE[option]}))
    else:
        profile = make_scope(patch=with_options({option: HOSTILE[option]})).profile
        assert any("not sent to the model" in problem.message for problem in profile.problems())


def test_options_of_models_pass(make_scope, learner, provider):
    make_scope(patch=with_options({"temperature": 0.2, "top_p": 0.9, "max_tokens": 90, "seed": 7, "top_k": 5}))
    b"".join(Api(learner).run("Why?", context=HERE).streaming_content)
    (request,) = provider.requests
    assert {"temperature", "top_p", "max_tokens", "seed", "top_k"} <= set(request)
    assert not any(
        RESERVED_OPTION.fullmatch(option) for option in MODEL_OPTIONS - {"max_tokens"} if "token" not in option
    )
