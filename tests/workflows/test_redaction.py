"""What is shown of a configuration never holds a credential, and keeps everything else."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, redact

SECRET = "abcd-0123456789"
HIDDEN_NAMES = [
    "api_key", "API-KEY", "apiKey", "ApiKey", "apikey", "api key", "api.key", "x-api-key", "api_keys", "API_KEY",
    "aws_access_key_id", "aws_secret_access_key", "AWS-Session-Token", "azure_ad_token", "azureAdToken",
    "Authorization", "proxy-authorization", "authorisation", "vertex_credentials", "credential", "password",
    "PassWord", "db_passwd", "pwd", "passphrase", "client_secret", "secret", "clientSecrets", "access_token", "token",
    "hf_token", "refreshToken",
    "api_tokens", "bearer", "basic_auth", "auth", "private_key", "ocp-apim-subscription-key",
    "Cookie", "openai_key", "connection_string", "ｐａｓｓｗｏｒｄ", "api\u200b_key",
    "session_key", "sshKey", "app-key", "access_token_2", "token1", "api_key_2",
]  # fmt: skip
SHOWN_NAMES = [
    "max_tokens", "maxTokens", "max_completion_tokens", "stop_tokens", "tokenizer", "prompt", "model", "temperature",
    "author", "authoring_mode", "secretary_prompt", "collection_key", "key", "keyboard", "provider", "max_token",
]  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN_NAMES)
@pytest.mark.parametrize("value", ["value", {"nested": "value"}, ["value"]], ids=["a text", "an object", "a list"])
def test_whatever_a_credentials_name_holds_is_hidden(name, value):
    assert redact({"a": [{"b": {name: value}}]}, ()) == {"a": [{"b": {name: REDACTED}}]}


@pytest.mark.parametrize("name", SHOWN_NAMES)
@pytest.mark.parametrize("value", ["value", {"nested": "value"}, ["value"], 7], ids=str)
def test_other_names_are_shown(name, value):
    assert redact({name: value}, ()) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", 300),
        ("token", 12),
        ("api_key", None),
        ("password", False),
        ("authorization", True),
        ("token", ""),
    ],
    ids=["a token count", "a number of tokens", "an unset key", "a switch", "another switch", "an empty text"],
)
def test_values_that_cannot_be_credentials_are_shown(name, value):
    assert redact({name: value}, ()) == {name: value}


@pytest.mark.parametrize("name", ["password", "api_key", "Session-Key", "credential"])
def test_a_credential_of_digits_is_hidden(name):
    assert redact({name: 123456}, ()) == {name: REDACTED}


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"Use {SECRET} to call it",
        f"https://llm.example.com/?key={SECRET}",
        "Bearer abcdefghijklmnop0123",
        "basic dXNlcjpwYXNzd29yZDEyMw==",
        "an unconfigured sk-proj-abcdefghij0123456789",
        "https://user:hunter2@llm.example.com/v1",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
    ],
)
def test_texts_that_hold_a_secret_are_hidden_wherever_they_are(text):
    assert redact({"note": ["x", {"deep": text}]}, {SECRET}) == {"note": ["x", {"deep": REDACTED}]}


@pytest.mark.parametrize(
    "text",
    [
        "Basic photosynthesis",
        "Basic introduction for the bearer of a ticket",
        "https://llm.example.com:8443/v1",
        "Explain the risk-reward ratio",
        "mailto:someone@example.com",
    ],
)
def test_ordinary_texts_are_shown(text):
    assert redact({"note": text}, {SECRET}) == {"note": text}


def test_a_key_that_is_itself_a_secret_is_hidden():
    assert redact({SECRET: 1}, {SECRET}) == {REDACTED: 1}


def test_a_placeholder_secret_hides_only_texts_equal_to_it():
    assert redact({"a": "none", "b": "none of these"}, {"none"}) == {"a": REDACTED, "b": "none of these"}


def test_secrets_are_read_from_every_provider(settings):
    settings.AI_EXTENSIONS = {
        "default": {"MODEL": "openai/gpt-4.1", "API_KEY": "first-secret", "API_BASE": "https://llm.example.com/v1"},
        "other": {
            "MODEL": "azure/x",
            "azure_ad_token": "second-secret",
            "extra_headers": {"Authorization": "Bearer third-secret", "X-Team": "biology"},
            "max_tokens": 5,
            "client_secrets": ["fourth-secret", ""],
            "vertex_credentials": {"type": "service_account", "private_key": "fifth-secret"},
        },
    }
    assert configured_secrets() == {
        "first-secret", "second-secret", "Bearer third-secret", "third-secret", "fourth-secret", "fifth-secret",
        settings.SECRET_KEY,
    }  # fmt: skip


def test_without_providers_there_are_no_secrets_but_djangos_own(settings):
    del settings.AI_EXTENSIONS
    assert configured_secrets() == {settings.SECRET_KEY}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["api_key", "prompt"]), inner),
)


NAMED_SECRETS = ["api key", "secret access key", "ad token", "authorization", "client secret", "vertex credentials",
                 "password", "private key", "session key", "bearer token"]  # fmt: skip


@st.composite
def spellings(draw):
    """A credential's name as people write it: any case, any separator, with something in front or not."""
    words = draw(st.sampled_from(NAMED_SECRETS)).split()
    if draw(st.booleans()):
        words.insert(0, draw(st.sampled_from(["my", "azure", "x", "default"])))
    changes = [str.lower, str.upper, str.title]
    return draw(st.sampled_from(["", "_", "-", " ", ".", "__"])).join(draw(st.sampled_from(changes))(w) for w in words)


def nested(inner):
    around = st.dictionaries(st.sampled_from(["a", "options", "max_tokens"]), st.integers(), max_size=2)
    within_object = st.builds(lambda value, more: {**more, "b": value}, inner, around)
    return st.lists(inner, min_size=1, max_size=3) | within_object


@given(st.recursive(st.builds(lambda name: {name: "hunter2-x"}, spellings()), nested, max_leaves=6))
def test_no_spelling_at_any_depth_lets_a_credential_through(value):
    assert "hunter2-x" not in str(redact(value, ()))


@given(st.recursive(st.text().map(lambda text: f"{text}{SECRET}{text}"), nested, max_leaves=6))
def test_a_configured_secret_is_found_at_any_depth(value):
    assert SECRET not in str(redact(value, {SECRET}))


@given(json_values)
def test_the_given_value_is_not_touched_and_redacting_twice_changes_nothing_more(value):
    before = copy.deepcopy(value)
    once = redact(value, {SECRET})
    assert value == before
    assert redact(once, {SECRET}) == once
