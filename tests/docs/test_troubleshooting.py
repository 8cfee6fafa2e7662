"""The page about troubleshooting quotes what the code says: log lines, error codes, checks and texts for learners."""

import re

import pytest
from django.conf import settings as site

from openedx_ai_extensions.core import conf
from tests.docs.test_reference import SOURCES

PAGE = (site.REPO / "docs" / "operators" / "troubleshooting.rst").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
TEXTS = [path.read_text(encoding="utf-8") for path in (site.REPO / "widget" / "src").glob("en*.js")]
CODE = "\n".join([*SOURCES.values(), *TEXTS])
# A word that the page quotes from Django, and a name that the code puts together.
ELSEWHERE = {"CSRF"}
PUT_TOGETHER = {"llm.circuit.opened": "llm.circuit."}
LINES = sorted(set(re.findall(r"``((?:[a-z_]+\.)+[a-z_]+)(?: [^`]*)?``", TEXT)))
QUOTES = sorted(set(re.findall(r'"([A-Z][^"]+)"', TEXT)) - ELSEWHERE)


def test_the_page_has_enough_to_check():
    assert len(LINES) > 15
    assert len(QUOTES) > 10
    assert len(re.findall(r"^   \* - (?!Symptom)", PAGE, re.MULTILINE)) >= 35


@pytest.mark.parametrize("line", LINES)
def test_a_log_line_is_written_by_the_code(line):
    assert PUT_TOGETHER.get(line, line) in CODE


@pytest.mark.parametrize("quote", QUOTES)
def test_a_text_is_the_codes(quote):
    known = re.sub(r"\d\w*…?", "…", quote)
    assert all(part.strip() in CODE for part in known.split("…") if len(part) > 3), quote


def test_checks_and_codes_exist():
    for number in re.findall(r"\b([EW]00\d)\b", TEXT):
        assert re.search(rf"[\".]{number}\"", CODE), number
    for code in ("no_config", "quota_exceeded", "rate_limit_exceeded", "invalid_api_key", "llm_config_error"):
        assert code in TEXT
        assert f'"{code}"' in CODE


def test_settings_in_the_text_exist():
    for name in re.findall(r":confval:`(\w+)", PAGE):
        assert name in {*conf.SETTINGS, *conf.DICTIONARIES}
