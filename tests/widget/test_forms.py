"""The widget against the real endpoints: what it asks, shows, says and gets over."""

from __future__ import annotations

import json
import re

import pytest

from openedx_ai_extensions.models import AIConsent, AINotice, AIWorkflowRun
from openedx_ai_extensions.policy.consent import accept, terms_for
from tests.browser import in_a_browser
from tests.conftest import SLOT
from tests.waiting import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
RUNS = "**/workflows/**"
ASK = "base/ask.json5"
WHY = "Why are leaves green?"
WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}
HOSTILE = """
<script>document.title = "hit"</script>
<img src="https://evil.example/pixel.png" onerror="document.title = 'hit'">

<svg onload="document.title = 'hit'"></svg> <iframe src="https://evil.example/"></iframe>

![a picture](https://evil.example/picture.png) [one](javascript:document.title='hit') [two](JaVaScRiPt:alert(1))
[three](data:text/html,<script>alert(1)</script>) [four](vbscript:x) [five](//evil.example/x) <javascript:alert(1)>
[six](https://evil.example/"onmouseover="document.title='hit')
[java\nscript](java&#10;script:alert(1)) [seven]( &#106;avascript:alert(1))

| <b onclick="x">a</b> | style |
|:-:|-|
| `</td><script>alert(1)</script>` | <style>* { display: none }</style> |

<a href="https://evil.example" style="position:fixed;inset:0">all of it</a> <form action="https://evil.example">
```html"><script>alert(1)</script>
</pre><script>alert(1)</script>
```
"""
ALLOWED = {
    "a", "blockquote", "br", "code", "div", "em", "h3", "h4", "li", "ol", "p", "pre", "small", "span", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


# As the documentation has it, for what is on the page before the script has run.
ROOM = "openedx-ai-widget:not(:defined) { display: block; min-block-size: 78px }"


def test_an_empty_slot_takes_no_room(block, make_scope):
    make_scope()
    block.open(SLOT, "nothing-here")
    expect(block.button("AI summary")).to_be_visible()
    expect(block.page.locator("openedx-ai-widget").last).to_have_js_property("offsetHeight", 0)


def test_a_form_moves_nothing_when_it_comes(block, make_scope):
    make_scope()
    make_scope(slug="ask", base_filepath=ASK, slot="ask")
    block.page.route("**/room.css", lambda route: route.fulfill(body=ROOM, content_type="text/css"))
    block.open(SLOT, "ask", head='<link rel="stylesheet" href="/room.css">')
    expect(block.button("AI summary")).to_be_visible()
    expect(block.page.get_by_role("button", name="Ask")).to_be_visible()
    assert block.page.evaluate("moved") < 0.001
    place = block.root.locator("form").bounding_box()
    block.button("AI summary").click()
    expect(block.answer).to_have_text("Hello from the model.")
    assert block.root.locator("form").bounding_box() == place
    [event] = block.heard(1)
    assert event == ["completed", {"action": "run", "uiSlotSelectorId": SLOT}]


def test_nothing_is_asked_before_a_notice_is_accepted(block, make_scope, provider):
    make_scope()
    AINotice.objects.create(text="What you write goes to a company.\n<b>Read it.</b> https://example.org/ai.")
    block.open()
    dialog = block.root.get_by_role("dialog")
    block.button("AI summary").click()
    expect(dialog).to_contain_text("What you write goes to a company.\n<b>Read it.</b> https://example.org/ai.")
    expect(dialog).to_contain_text("What you write is processed by: Example University")
    link = dialog.get_by_role("link", name="https://example.org/ai", exact=True)
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    dialog.get_by_role("button", name="Not now").click()
    expect(block.alert).to_have_text("The AI works once you accept the notice. Nothing was sent.")
    assert provider.requests == []
    block.button("Try again").click()
    dialog.get_by_role("button", name="Accept and continue").click()
    expect(block.answer).to_have_text("Hello from the model.")
    expect(block.button("Withdraw consent")).to_be_visible()


@pytest.mark.parametrize(
    ("template", "summary", "start"),
    [
        ("base/summary.json5", "", "AI summary"),
        ("base/flashcards.json5", "Flashcards", "Make flashcards"),
        ("base/chat.json5", "", ""),
    ],
)
def test_consent_is_withdrawn_with_one_click(block, make_scope, learner, template, summary, start):
    scope = make_scope(base_filepath=template)
    AINotice.objects.create(text="What you write goes to a company.")
    accept(learner, terms_for(scope.profile))
    block.open()
    if template == "base/chat.json5":
        block.root.locator("button.open").click()
    if summary:
        block.root.locator("summary").first.click()
    block.button("Withdraw consent").click()
    line = block.root.get_by_text("Your consent is withdrawn. The AI asks again before it answers.")
    expect(line).to_be_focused()
    expect(block.button("Withdraw consent")).to_have_count(0)
    assert not AIConsent.objects.filter(holds=True).exists()
    if start:
        block.button(start).click()
        block.root.get_by_role("dialog").get_by_role("button", name="Accept and continue").click()
        expect(block.button("Withdraw consent")).to_be_visible()


def test_a_withdrawal_that_fails_can_be_repeated(block, make_scope, learner):
    scope = make_scope()
    AINotice.objects.create(text="What you write goes to a company.")
    accept(learner, terms_for(scope.profile))
    block.open()
    block.page.route("**/v1/consent/**", lambda route: route.abort(), times=1)
    block.button("Withdraw consent").click()
    expect(block.root.locator(".consent-line [role=alert]")).to_have_text(
        "The site could not be reached. Please try again."
    )
    expect(block.button("Withdraw consent")).to_be_focused()
    block.button("Withdraw consent").click()
    expect(block.root.get_by_text("Your consent is withdrawn.")).to_be_visible()


def test_what_is_left_is_said_and_when_there_is_more(block, make_scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 2}]
    make_scope()
    block.open()
    for said in ("1 request left today", "You have reached your AI limit. Next reset: "):
        block.button("AI summary").click()
        expect(block.root.locator(".limits")).to_contain_text(said)
    block.button("AI summary").click()
    expect(block.alert).to_contain_text("Next reset: ")
    expect(block.button("Try again")).to_have_count(0)
    assert block.heard(3)[-1][1]["code"] == "quota_exceeded"


def test_what_is_left_is_not_said_while_it_is_much(block, make_scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 6}]
    make_scope()
    block.open()
    for said in ("", "", "", "", "1 request left today"):
        with block.page.expect_response("**/limits/**"):
            block.button("AI summary").click()
        expect(block.root.locator(".limits")).to_have_text(said)


def test_a_retry_after_a_lost_answer_is_not_billed_twice(block, make_scope, provider):
    make_scope(patch=WHOLE)
    block.open()

    def lose(route):
        route.fetch()
        route.abort()

    block.page.route(RUNS, lose, times=1)
    block.button("AI summary").click()
    expect(block.alert).to_have_text("The site could not be reached. Please try again.")
    block.button("Try again").click()
    expect(block.answer).to_have_text("Hello from the model.")
    assert (len(provider.requests), AIWorkflowRun.objects.count()) == (1, 1)


def test_a_double_click_starts_an_answer_and_does_not_stop_it(block, make_scope, provider):
    make_scope()
    block.open()
    provider.hang(60, after=1)
    block.button("AI summary").dblclick()
    expect(block.button("Stop")).to_be_visible()
    provider.go_on()
    expect(block.answer).to_have_text("Hello from the model.")
    assert len(provider.requests) == 1


def test_who_is_not_signed_in_any_more_loses_nothing(block, make_scope):
    make_scope(base_filepath=ASK)
    block.open()
    field = block.root.get_by_role("textbox", name="Ask about this unit")
    field.fill(WHY)
    cookies = block.page.context.cookies()
    block.page.context.clear_cookies(name="sessionid")
    field.press("Enter")
    expect(block.alert).to_contain_text("You are not signed in any more.")
    expect(field).to_have_value(WHY)
    block.page.context.add_cookies(cookies)
    block.button("Try again").click()
    expect(block.answer).to_have_text("Hello from the model.")


@pytest.mark.parametrize(
    ("patch", "accept"),
    [
        pytest.param({}, "text/plain", id="as plain text"),
        pytest.param(WHOLE, None, id="whole"),
        pytest.param(
            {"actuator_config": {"UIComponents": {"request": {"component": "NobodyKnowsThis"}}}}, None,
            id="for a component that nobody knows",
        ),
    ],
)  # fmt: skip
def test_an_answer_comes_in_any_form(block, make_scope, provider, patch, accept):
    make_scope(patch=patch)
    provider.reply(["Green ", "light ", "**comes back**."])
    if accept:
        block.page.route(RUNS, lambda route: route.continue_(headers={**route.request.headers, "accept": accept}))
    block.open()
    block.button("AI summary").click()
    expect(block.answer).to_have_text("Green light comes back.")
    expect(block.answer.locator("strong")).to_have_text("comes back")


def test_the_marker_of_a_broken_text_is_not_shown(block, make_scope):
    make_scope()
    marker = {"error_in_stream": True, "code": "streaming_failed", "message": "No."}
    body = f"Half an answer||{json.dumps(marker)}||"
    block.page.route(RUNS, lambda route: route.fulfill(body=body, content_type="text/plain; charset=utf-8"))
    block.open()
    block.button("AI summary").click()
    expect(block.alert).to_have_text("The answer broke off before its end.")
    expect(block.answer).to_have_text("Half an answer")


def test_nothing_that_a_model_writes_does_anything(block, make_scope, provider):
    make_scope()
    provider.reply(HOSTILE)
    block.open()
    block.button("AI summary").click()
    expect(block.root.locator(".result-footer")).to_be_visible()
    found = block.answer.evaluate(
        """node => [...node.querySelectorAll("*:not(.code-header, .code-header *)")].map(
          e => [e.localName, [...e.attributes].map(a => [a.name, a.value])])"""
    )
    assert {name for name, _attributes in found} <= ALLOWED
    for name, attributes in found:
        given = dict(attributes)
        assert set(given) <= {"href", "rel", "target", "class", "data-language", "tabindex", "start"}, (name, given)
        if name == "a":
            assert given["href"].startswith(("http://", "https://", "mailto:"))
            assert given["rel"] == "noopener noreferrer"
    assert block.page.title() == "Block"
    assert [url for url in block.asked if "evil.example" in url] == []


def test_a_widget_that_goes_gives_up_and_one_that_changes_asks_again(block, make_scope, provider):
    make_scope()
    make_scope(slug="other", base_filepath="base/explain_like_five.json5", slot="other")
    provider.reply([f"word{number} " for number in range(1000)], delay=0.1)
    block.open()
    block.button("AI summary").click()
    expect(block.answer).to_contain_text("word1 ")
    block.root.evaluate("node => node.setAttribute('ui-slot-selector-id', 'other')")
    expect(block.button("Explain simply")).to_be_visible()
    expect(block.answer).to_have_text("")
    eventually(lambda: provider.disconnects == 1)
    assert block.page.evaluate("heard") == []
    block.root.evaluate("node => node.remove()")
    expect(block.page.locator("openedx-ai-widget")).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "direction", "button", "said", "left"),
    [
        pytest.param("es-419", "ltr", "Resumen con IA", "Detener", "Queda 1 consulta hoy", id="Spanish"),
        pytest.param("ar", "rtl", "ملخص بالذكاء الاصطناعي", "إيقاف", "بقي طلب واحد اليوم", id="Arabic"),
        pytest.param("xx", "ltr", "AI summary", "Stop", "1 request left today", id="one that nobody wrote"),
    ],
)
def test_it_speaks_the_language_of_the_page(
    block, make_scope, provider, settings, language, direction, button, said, left
):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 2}]
    make_scope()
    provider.reply(["One ", "two"], delay=60)
    block.open(page=f'lang="{language}" dir="{direction}"')
    block.button(button).click()
    expect(block.button(said)).to_be_visible()
    provider.go_on()
    expect(block.root.locator(".limits")).to_have_text(left)
    button, message = (block.root.locator(name).bounding_box()["x"] for name in ("button.primary", ".custom-message"))
    assert (button < message) == (direction == "ltr")
