"""The usage report in a real browser: on any screen, dark or light, with the keyboard alone."""

import pytest

from openedx_ai_extensions.ledger import counters
from tests.accounting.ledger import a_run
from tests.browser import in_a_browser

pytestmark = [
    *in_a_browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    yield page
    page.close()


@pytest.fixture
def month(learner):
    for day in range(30):
        for number in range(day % 7):
            outcome = "failed" if number == 5 else "completed"
            a_run(user=learner, days_ago=day, first_token_ms=300 * (number + 1), outcome=outcome,
                  course_id=f"course-v1:OpenedX+A{number}+2026")  # fmt: skip
    counters.count()


def test_reading_a_report(live_server, page, admin_user, month, tmp_path):
    page.goto(f"{live_server.url}/admin/openedx_ai_extensions/aiusagebyplace/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("img", name="Cost per day").wait_for()
    page.get_by_role("table", name="All figures").wait_for()
    page.screenshot(path=tmp_path / "light.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=tmp_path / "dark.png", full_page=True)

    by = page.get_by_label("Group by")
    by.focus()
    page.keyboard.type("Course")
    page.get_by_role("button", name="Show").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**by=course**")
    assert page.get_by_role("rowheader", name="course-v1:OpenedX+A0+2026").count() == 1
    page.screenshot(path=tmp_path / "course.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.screenshot(path=tmp_path / "narrow.png", full_page=True)
    # What is wider than the screen is scrolled to with the keyboard.
    table = page.get_by_role("region", name="All figures")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("element => element.scrollLeft > 0", arg=table.element_handle())
