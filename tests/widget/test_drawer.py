"""The drawer of the chat: beside the page, as wide as the person wants, and over a page that has no room."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN = "Ask the tutor"
GREETING = "Hello! Ask me anything about this unit."


@pytest.fixture
def chat(block, make_scope):
    """A page with a chat, whose greeting is the template's."""
    make_scope(base_filepath="base/chat.json5", model_greets=False)
    block.open()
    return block


def drawer(block):
    return block.root.locator("dialog.drawer")


def handle(block):
    return block.root.get_by_role("separator", name="Width of the chat")


def edges(locator):
    box = locator.bounding_box()
    return round(box["x"]), round(box["x"] + box["width"])


def width(block):
    left, right = edges(drawer(block))
    return right - left


@pytest.mark.parametrize("size", [700, 1024, 1280, 1440])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_it_covers_nothing_of_the_page(chat, size, direction):
    chat.page.set_viewport_size({"width": size, "height": 700})
    chat.open(page=f"lang=en dir={direction}")
    main = chat.page.locator("main")
    before = edges(main)
    chat.button(OPEN).click()
    expect(drawer(chat)).to_be_visible()
    page, panel = edges(main), edges(drawer(chat))
    assert (panel[1] <= page[0]) if direction == "rtl" else (page[1] <= panel[0])
    assert (panel[0] == 0) if direction == "rtl" else (panel[1] == size)
    assert page[1] - page[0] >= 340
    assert chat.page.evaluate(OVERFLOW) == 0
    chat.page.get_by_text("Text below.").click()  # the lesson stays usable
    chat.root.get_by_role("textbox").press("Escape")
    expect(drawer(chat)).to_be_hidden()
    expect(chat.button(OPEN)).to_be_focused()
    assert edges(main) == before


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_its_width_by_pointer_and_keyboard(chat, direction):
    chat.page.set_viewport_size({"width": 1280, "height": 700})
    chat.open(page=f"lang=en dir={direction}")
    chat.button(OPEN).click()
    outwards, inwards = ("ArrowLeft", "ArrowRight") if direction == "ltr" else ("ArrowRight", "ArrowLeft")
    before = width(chat)
    handle(chat).press(outwards)
    assert width(chat) == before + 20
    handle(chat).press(inwards)
    handle(chat).press(inwards)
    assert width(chat) == before - 20
    handle(chat).press("End")
    assert width(chat) == 1280 - 360
    handle(chat).press("Home")
    assert width(chat) == 300
    box = handle(chat).bounding_box()
    x = box["x"] + box["width"] / 2
    chat.page.mouse.move(x, 200)
    chat.page.mouse.down()
    chat.page.mouse.move(x + (-150 if direction == "ltr" else 150), 260, steps=4)
    chat.page.mouse.up()
    assert abs(width(chat) - 450) <= 1
    values = [handle(chat).get_attribute(f"aria-value{name}") for name in ("now", "min", "max")]
    assert values == [str(width(chat)), "300", "920"]
    # It is the same on the next page, and smaller where there is less room.
    chosen = width(chat)
    chat.open(page=f"lang=en dir={direction}")
    assert width(chat) == chosen
    chat.page.set_viewport_size({"width": 720, "height": 700})
    expect(handle(chat)).to_have_attribute("aria-valuenow", "360")
    assert width(chat) == 360
    assert chat.page.evaluate(OVERFLOW) == 0


def test_it_is_open_again_on_the_next_visit(chat, provider):
    chat.button(OPEN).click()
    expect(chat.root.get_by_text(GREETING, exact=True)).to_be_visible()
    chat.open()
    expect(drawer(chat)).to_be_visible()
    expect(chat.root.get_by_text(GREETING, exact=True)).to_be_visible()
    assert chat.page.evaluate("document.activeElement === document.body")
    chat.button("Close").click()
    chat.open()
    expect(chat.button(OPEN)).to_be_visible()
    expect(drawer(chat)).to_be_hidden()
    assert provider.requests == []


def test_a_greeting_of_the_model_is_not_asked_for_by_itself(block, make_scope, provider):
    make_scope(base_filepath="base/chat.json5")
    block.open()
    block.button(OPEN).click()
    expect(block.root.locator(".message.assistant .answer")).to_have_text("Hello from the model.")
    asked = len(provider.requests)
    block.open()
    expect(block.button(OPEN)).to_be_visible()
    expect(drawer(block)).to_be_hidden()
    assert len(provider.requests) == asked


@pytest.mark.parametrize("size", [{"width": 699, "height": 700}, {"width": 320, "height": 256}])
def test_it_covers_a_narrow_page(chat, size):
    chat.page.set_viewport_size(size)
    chat.open()
    chat.button(OPEN).click()
    expect(handle(chat)).to_be_hidden()
    assert edges(drawer(chat)) == (0, size["width"])
    assert chat.page.evaluate("getComputedStyle(document.documentElement).marginRight") == "0px"
    for _tab in range(12):  # the focus stays inside
        chat.page.keyboard.press("Tab")
        assert chat.page.evaluate("document.activeElement?.localName") in {"openedx-ai-widget", "body"}
    chat.page.keyboard.press("Escape")
    expect(drawer(chat)).to_be_hidden()
    chat.open()
    expect(chat.button(OPEN)).to_be_visible()
    expect(drawer(chat)).to_be_hidden()  # a modal does not open by itself


def test_a_screen_that_is_turned(chat):
    chat.page.set_viewport_size({"width": 1024, "height": 600})
    chat.open()
    chat.button(OPEN).click()
    chat.root.get_by_role("textbox").fill("Half a question")
    chat.page.set_viewport_size({"width": 600, "height": 1024})
    expect(handle(chat)).to_be_hidden()
    assert edges(drawer(chat)) == (0, 600)
    chat.page.set_viewport_size({"width": 1024, "height": 600})
    expect(handle(chat)).to_be_visible()
    assert edges(chat.page.locator("main"))[1] <= edges(drawer(chat))[0]
    expect(chat.root.get_by_role("textbox")).to_have_value("Half a question")


def test_two_chats_on_a_page(chat, make_scope):
    make_scope(base_filepath="base/chat.json5", slug="other", slot="other", model_greets=False)
    chat.page.set_viewport_size({"width": 1280, "height": 700})
    chat.open("unit-summary", "other")
    first, second = (chat.page.locator("openedx-ai-widget").nth(number) for number in (0, 1))
    first.get_by_role("button", name=OPEN).click()
    second.get_by_role("button", name=OPEN).click()
    expect(first.locator("dialog.drawer")).to_be_hidden()
    expect(second.locator("dialog.drawer")).to_be_visible()
    expect(second.get_by_role("textbox")).to_be_focused()
    expect(first.get_by_role("button", name=OPEN)).to_have_attribute("aria-expanded", "false")


def test_a_widget_that_is_removed_gives_the_page_its_room_back(chat):
    chat.button(OPEN).click()
    expect(drawer(chat)).to_be_visible()
    chat.page.evaluate("document.querySelector('openedx-ai-widget').remove()")
    assert chat.page.evaluate("document.documentElement.style.marginRight") == ""


def test_the_page_behind_a_modal_does_not_scroll(chat):
    chat.page.set_viewport_size({"width": 375, "height": 700})
    chat.open()
    chat.page.evaluate("document.body.style.height = '4000px'")
    chat.button(OPEN).click()
    expect(drawer(chat)).to_be_visible()
    for y in (20, 300, 640):  # the header, the messages, the form
        chat.page.mouse.move(150, y)
        chat.page.mouse.wheel(0, 600)
    chat.button("Close").press("PageDown")
    chat.page.wait_for_timeout(300)  # a scroll is animated
    assert chat.page.evaluate("scrollY") == 0
    chat.button("Close").click()
    chat.page.mouse.wheel(0, 600)
    chat.page.wait_for_function("() => scrollY > 0")


@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_gets_its_own_styles_back(chat, width):
    chat.page.set_viewport_size({"width": width, "height": 700})
    chat.open()
    own = "margin-right: 40px; overflow: scroll;"
    chat.page.evaluate("own => document.documentElement.style.cssText = own", own)
    chat.button(OPEN).click()
    expect(drawer(chat)).to_be_visible()
    chat.button("Close").click()
    styles = "['marginRight', 'overflow'].map((name) => document.documentElement.style[name])"
    assert chat.page.evaluate(styles) == ["40px", "scroll"]
