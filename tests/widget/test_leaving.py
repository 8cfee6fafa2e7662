"""What the widget's requests become when the page is left, or when the person is not signed in any more."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
PROFILES = "**/v1/profile/**"
RUNS = "**/v1/workflows/**"
LOGIN_PAGE = "<!doctype html><title>Sign in</title><h1>Sign in</h1>"
LEAVE = '<form method="post" action="/logout/"><button>Sign out</button></form> <a href="/nowhere/">Nowhere</a>'

# A widget that starts while the page is being left; the page itself asks for something after that.
START_LATE = """() => addEventListener("beforeunload", () => setTimeout(() => {
  document.querySelector("openedx-ai-widget").setAttribute("lang", "en-GB");
  setTimeout(() => fetch("/later/"), 50);
}, 0))"""


@pytest.fixture
def page(block):
    """The page of the block, with a form that signs the person out and a link that leads nowhere."""
    page = block.page
    page.route("**/nowhere/", lambda route: route.fulfill(status=204))
    return page


def hold(page, pattern):
    """Leave requests without an answer; returns them."""
    held = []
    page.route(pattern, lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks the function
    return held


def wait_for(page, held, count):
    while len(held) < count:
        page.wait_for_timeout(20)


def test_what_is_asked_while_the_person_signs_out_is_given_up(block, page, make_scope):
    make_scope()
    profiles = hold(page, PROFILES)
    logouts, later = hold(page, "**/logout/"), hold(page, "**/later/")
    block.open(head=LEAVE)
    wait_for(page, profiles, 1)
    page.evaluate(START_LATE)
    with page.expect_event("requestfailed", lambda request: "/profile/" in request.url):
        page.get_by_role("button", name="Sign out").click(no_wait_after=True)
    wait_for(page, logouts, 1)
    wait_for(page, later, 1)
    assert len(profiles) == 1
    logouts[0].fulfill(body=LOGIN_PAGE, content_type="text/html")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.complaints == []


def test_a_page_that_stays_after_all_asks_again(block, page, make_scope):
    make_scope()
    page.clock.install()
    profiles = hold(page, PROFILES)
    block.open(head=LEAVE)
    wait_for(page, profiles, 1)
    with page.expect_event("requestfailed", lambda request: "/profile/" in request.url):
        page.get_by_role("link", name="Nowhere").click(no_wait_after=True)
    page.unroute(PROFILES)
    page.clock.run_for(10_000)
    expect(block.button("AI summary")).to_be_visible()
    block.button("AI summary").click()
    expect(block.answer).to_have_text("Hello from the model.")
    assert page.complaints == []


def test_a_page_that_may_come_back_stops_its_answer_and_offers_to_ask_again(block, page, make_scope, provider):
    make_scope()
    provider.reply([f"word{number} " for number in range(1000)], delay=0.1)
    block.open()
    block.button("AI summary").click()
    expect(block.answer).to_contain_text("word1 ")
    # What a browser does to a page that it keeps for the Back button.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    expect(block.note).to_have_text("Stopped.")
    provider.reply("Green.")
    block.button("Try again").click()
    expect(block.answer).to_have_text("Green.")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status": 302, "headers": {"Location": "/login/"}}, id="a redirect"),
        pytest.param(
            {"status": 302, "headers": {"Location": "http://accounts.example/"}}, id="a redirect to another site"
        ),
        pytest.param({"status": 401, "body": LOGIN_PAGE, "content_type": "text/html"}, id="401 with a page"),
    ],
)
def test_a_login_in_place_of_an_answer_is_said_in_words(block, page, make_scope, answer):
    make_scope()
    page.route("**/login/", lambda route: route.fulfill(body=LOGIN_PAGE, content_type="text/html"))
    limits = hold(page, "**/v1/limits/**")
    block.open()
    page.route(RUNS, lambda route: route.fulfill(**answer))
    block.button("AI summary").click()
    expect(block.alert).to_contain_text("You are not signed in any more.")
    expect(block.answer).to_be_empty()
    assert limits == []
    page.unroute(RUNS)
    block.button("Try again").click()
    expect(block.answer).to_have_text("Hello from the model.")


def test_a_page_in_place_of_an_answer_is_not_shown(block, page, make_scope):
    make_scope()
    block.open()
    page.route(RUNS, lambda route: route.fulfill(body=LOGIN_PAGE, content_type="text/html"))
    block.button("AI summary").click()
    expect(block.alert).to_have_text("Something went wrong. Please try again.")
    expect(block.answer).to_be_empty()
