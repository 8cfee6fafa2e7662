"""Settings that are keys of one dictionary: how they are read, and what ``manage.py check`` says of them."""

import pytest

from openedx_ai_extensions.console.checks import check_settings
from openedx_ai_extensions.console.health import HealthLevel, report
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.redaction import configured_secrets
from tests.test_checks import PREFIX

MEMBERS = {name: setting for name, setting in conf.SETTINGS.items() if "." in name}
# Names that a site may have from elsewhere, or that other documents promise.
PROMISED = {
    "AI_EXTENSIONS", "WORKFLOW_TEMPLATE_DIRS", "OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS", "AI_EXTENSIONS_MAX_INPUT_CHARS",
    "AI_EXTENSIONS_MAX_CONTEXT_MESSAGES", "AI_EXTENSIONS_MCP_CONFIGS", "AI_EXTENSIONS_ENABLE_LLM_CACHE",
    "AI_EXTENSIONS_LLM_CACHE", "AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_provider(settings):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x"}}
    del settings.AI_EXTENSIONS_STANDALONE


def said():
    """Our messages as ``(number, text, hint)``."""
    return [(message.id.removeprefix(PREFIX), message.msg, message.hint) for message in check_settings()]


def other(value):
    """A value of the same kind that is not this one."""
    if isinstance(value, str):
        return {"block": "warn", "USD": "EUR"}[value]
    return value + 7 if isinstance(value, int) else type(value)()


def test_a_key_is_read_and_the_others_keep_their_defaults(settings):
    assert conf.get("AI_EXTENSIONS_ASYNC.LEASE") == 20
    settings.AI_EXTENSIONS_ASYNC = {"LEASE": 25}
    assert conf.get("AI_EXTENSIONS_ASYNC.LEASE") == 25
    assert conf.get("AI_EXTENSIONS_ASYNC.TIME_LIMIT") == 270
    settings.AI_EXTENSIONS_ASYNC = {"LEASE": 30}
    assert conf.get("AI_EXTENSIONS_ASYNC.LEASE") == 30, "a change holds at once"
    assert said() == []


def test_keys_may_be_written_in_any_case(settings):
    settings.AI_EXTENSIONS_MODERATION = {"moderators": {"w": {"KIND": "words", "WORDS": ["darn"]}}, "before": ["w"]}
    assert conf.site_moderation() == {"before": ["w"], "after": ()}
    assert list(conf.get("AI_EXTENSIONS_MODERATION.MODERATORS")) == ["w"]
    assert said() == []


@pytest.mark.parametrize("name", [name for name, setting in MEMBERS.items() if setting.former])
def test_a_former_name_is_read_until_the_dictionary_has_the_key(settings, name):
    dictionary, _, key = name.partition(".")
    setting = MEMBERS[name]
    before = other(setting.default)
    setattr(settings, setting.former, before)
    assert conf.get(name) == before
    ((number, text, hint),) = said()
    assert number == "W005"
    assert setting.former in text
    assert f'{dictionary} = {{"{key}": ' in hint
    setattr(settings, dictionary, {key: setting.default})
    assert conf.get(name) == setting.default
    ((number, text, hint),) = said()
    assert number == "W006"
    assert text == f"{setting.former} is ignored, because {conf.path(name)} is set."


def test_former_names_are_told_with_the_line_to_write(settings):
    settings.AI_EXTENSIONS_ASYNC = {"RUNS_PER_PERSON": 2}
    settings.AI_EXTENSIONS_ASYNC_LEASE = 12.5
    settings.AI_EXTENSIONS_ASYNC_TIME_LIMIT = 600
    settings.AI_EXTENSIONS_CURRENCY = "EUR"
    costs, runs = said()
    assert costs == (
        "W005",
        "Settings with former names, which a later release will ignore: AI_EXTENSIONS_CURRENCY.",
        'Write instead: AI_EXTENSIONS_COSTS = {"CURRENCY": "EUR"}',
    )
    assert runs[2] == 'Write instead: AI_EXTENSIONS_ASYNC = {"RUNS_PER_PERSON": 2, "TIME_LIMIT": 600, "LEASE": 12.5}'
    exec(runs[2].partition(": ")[2], written := {})
    for name in ("AI_EXTENSIONS_ASYNC_LEASE", "AI_EXTENSIONS_ASYNC_TIME_LIMIT", "AI_EXTENSIONS_CURRENCY"):
        delattr(settings, name)
    settings.AI_EXTENSIONS_ASYNC = written["AI_EXTENSIONS_ASYNC"]
    assert conf.get("AI_EXTENSIONS_ASYNC.LEASE") == 12.5
    assert said() == []


def test_the_line_to_write_holds_no_secret(settings):
    settings.AI_EXTENSIONS_MODERATORS = {"own": {"KIND": "words", "WORDS": ["darn"], "API_KEY": "k-3b1f5b1e2c"}}
    ((_number, text, hint),) = said()
    assert "k-3b1f5b1e2c" not in text + hint
    assert 'AI_EXTENSIONS_MODERATION = {"MODERATORS": {…}}' in hint


@pytest.mark.parametrize("former", [True, False])
def test_secrets_in_either_are_masked(settings, former):
    moderators = {"own": {"KIND": "words", "API_KEY": "k-3b1f5b1e2c"}}
    if former:
        settings.AI_EXTENSIONS_MODERATORS = moderators
    else:
        settings.AI_EXTENSIONS_MODERATION = {"MODERATORS": moderators}
    assert "k-3b1f5b1e2c" in configured_secrets()


@pytest.mark.parametrize(
    ("dictionary", "value", "message"),
    [
        pytest.param("AI_EXTENSIONS_ASYNC", {"LEESE": 5}, 'AI_EXTENSIONS_ASYNC["LEESE"] does not exist. Do you mean '
                     'AI_EXTENSIONS_ASYNC["LEASE"]?', id="a slip"),
        pytest.param("AI_EXTENSIONS_ASYNC", {1: 5}, 'AI_EXTENSIONS_ASYNC["1"] does not exist.', id="a number"),
        pytest.param("AI_EXTENSIONS_ASYNC", {"LEASE": 0}, 'AI_EXTENSIONS_ASYNC["LEASE"] must be a number greater '
                     "than 0", id="a value"),
        pytest.param("AI_EXTENSIONS_MODERATION", {"after": "x"}, 'AI_EXTENSIONS_MODERATION["AFTER"] must be a list',
                     id="a text for a list"),
        pytest.param("AI_EXTENSIONS_COSTS", {"CURRENCY": "EUR", "currency": "EUR"},
                     "AI_EXTENSIONS_COSTS has a key twice, in different spellings.", id="twice"),
        pytest.param("AI_EXTENSIONS_COSTS", ["EUR"], "AI_EXTENSIONS_COSTS must be a dictionary.", id="a list"),
        pytest.param("AI_EXTENSIONS_COSTS", None, "AI_EXTENSIONS_COSTS must be a dictionary.", id="None"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_the_only_thing_said(settings, dictionary, value, message):
    settings.AI_EXTENSIONS_LEDGER_DAYS = 5
    setattr(settings, dictionary, value)
    ((number, text, hint),) = said()
    assert number == "E001"
    assert text.startswith(message)
    assert hint


def test_a_former_name_with_a_wrong_value_is_told_by_that_name(settings):
    settings.AI_EXTENSIONS_ASYNC_LEASE = 0
    ((number, text, _hint),) = said()
    assert (number, text.split()[0]) == ("E001", "AI_EXTENSIONS_ASYNC_LEASE")


@pytest.mark.django_db
def test_health_says_what_is_no_dictionary(settings):
    settings.AI_EXTENSIONS_COSTS = 5
    texts = [finding.text for section in report() for finding in section.findings if finding.level is HealthLevel.ERROR]
    assert "AI_EXTENSIONS_COSTS must be a dictionary." in texts


def test_promised_names_are_no_former_names():
    assert conf.SETTINGS.keys() >= PROMISED
    assert len({name.partition(".")[0] for name in conf.SETTINGS if "AI_EXTENSIONS" in name}) <= 24
