"""Parts of the widget by themselves, in a browser; and a site of another origin that asks the LMS."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser
from tests.widget.conftest import SOURCES, STATIC

pytestmark = in_a_browser
EVENTS = (
    ": a comment\r\n\r\nevent: delta\r\ndata: {\"text\":\"é😀\"}\r\n\r\n"
    "event:delta\rdata:two\rdata: lines\r\rdata\n\nid: 7\nretry: 9\nunknown: x\ndata:  a:b \n\nevent: empty\n\n"
    "event: done\ndata: {}\n\nevent: cut\ndata: never ended\n"
)  # fmt: skip
PARSED = [
    ["delta", '{"text":"é😀"}'],
    ["delta", "two\nlines"],
    ["message", ""],
    ["message", " a:b "],
    ["done", "{}"],
]
CARD = {"id": "c", "next_review_time": 0, "interval": 1, "ease_factor": 2.5, "repetitions": 0}


@pytest.fixture
def part(new_page):
    """Call a function of a source file with arguments, in the browser."""
    page = new_page()

    def serve(route):
        name = route.request.url.rsplit("/", 1)[1]
        if name:
            route.fulfill(path=SOURCES / "src" / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route("http://widget.test/*", serve)
    page.goto("http://widget.test/")
    return lambda file, script, value=None: page.evaluate(
        f"async (value) => {{ const part = await import('/{file}.js'); {script} }}", value
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_events_are_found_however_they_are_cut(part, size):
    pieces = [EVENTS[start : start + size] for start in range(0, len(EVENTS), size)]
    script = "const parser = new part.EventParser(); return value.flatMap((piece) => parser.push(piece))"
    assert [[event["name"], event["data"]] for event in part("sse", script, pieces)] == PARSED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a || b", "a || b"),
        ("a|", "a"),
        ('a||{"error_in', "a"),
        ('a||{"error_in_stream": true, "code"', "a"),
        ("a||{b", "a||{b"),
        ('a|||{"error_in_stream": true, "code"', "a|"),
    ],
)
def test_what_may_become_a_marker_is_held_back(part, text, shown):
    assert part("streamReader", "return part.beforeErrorMarker(value)", text) == shown


@pytest.mark.parametrize(
    ("grades", "interval", "is_due"),
    [
        pytest.param(["again"], 1, True, id="not known"),
        pytest.param(["hard"], 1, False, id="hardly known"),
        pytest.param(["good"], 2, False, id="known once"),
        pytest.param(["good", "good"], 6, False, id="known twice"),
        pytest.param(["good", "good", "good"], 15, False, id="known three times"),
        pytest.param(["good", "good", "good", "again"], 1, True, id="forgotten"),
        pytest.param(["easy", "easy", "easy"], 33, False, id="easy"),
        pytest.param(["good"] * 40, 36_500, False, id="known for ever"),
    ],
)
def test_when_a_card_comes_again(part, grades, interval, is_due):
    script = "const c = value[1].reduce((card, g) => part.reviewed(card, g, 1e12), value[0]);"
    assert part("sm2", f"{script} return [c.interval, part.isDue(c, 1e12)]", [CARD, grades]) == [interval, is_due]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": "invalid_api_key", "message": "x"}, "The AI service is currently unavailable."),
        (
            {"code": "rate_limit_exceeded", "message": "x", "retryAfter": 30},
            "The AI service is busy. Please try again in a moment. Try again in 30 seconds.",
        ),
        (
            {"code": "service_unavailable", "message": "The AI gave no answer.", "retryAfter": 600},
            "The AI gave no answer. Try again in 10 minutes.",
        ),
        (
            {"code": "quota_exceeded", "scope": "course", "resets_at": None},
            "The AI limit here has been reached.",
        ),
        ({"code": "processor_error", "message": ["One.", "Two."]}, "One. Two."),
        ({"code": "made_by_an_extension", "message": "Its own words."}, "Its own words."),
        ({"code": "toString"}, "Something went wrong. Please try again."),
    ],
)
def test_what_went_wrong_is_said_in_words(part, error, words):
    script = (
        "const { loadI18n } = await import('/i18n.js'); return new part.ApiError(await loadI18n('en'), value).message"
    )
    assert part("apiError", script, error) == words


def test_another_origin_is_asked_with_its_cookies_and_its_token(new_page):
    """What a page of an MFE does; the LMS is a stand-in, as no MFE is at hand."""
    page, asked = new_page(), []
    widget = '<openedx-ai-widget ui-slot-selector-id="s" api-base="http://lms.test/"></openedx-ai-widget>'
    components = {"request": {"component": "AIRequestComponent", "config": {"buttonText": "Go"}}}
    answers = {
        "profile": {"ui_components": components},
        "token": {"csrfToken": "from-the-lms"},
        "workflows": {"response": "Hello.", "status": "completed"},
        "limits": {"limits": []},
    }

    def lms(route):
        request = route.request
        headers = {
            "Access-Control-Allow-Origin": "http://mfe.test",
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Headers": "content-type, use-jwt-cookie, x-csrftoken",
        }
        name = next(name for name in answers if f"/{name}" in request.url)
        if request.method != "OPTIONS":
            asked.append((name, request.headers.get("use-jwt-cookie"), request.headers.get("x-csrftoken")))
        route.fulfill(json=answers[name], headers=headers)

    page.route("http://lms.test/**", lms)
    page.route("http://mfe.test/widget.js", lambda route: route.fulfill(path=STATIC / "widget.js"))
    body = f'<!doctype html><html lang="en">{widget}<script type="module" src="/widget.js"></script>'
    page.route("http://mfe.test/", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("http://mfe.test/")
    page.get_by_role("button", name="Go").click()
    page.locator(".result-footer").wait_for()
    assert page.locator(".answer").inner_text() == "Hello."
    assert asked[:3] == [
        ("profile", "true", None), ("token", "true", None), ("workflows", "true", "from-the-lms")
    ]  # fmt: skip
    assert asked[3:] in ([], [("limits", "true", None)])
