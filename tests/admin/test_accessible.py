"""Every page of the admin that is ours, looked at by axe-core."""

import pytest

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.models import AILimit, AIPause, AIWorkflowSession, AnswerFeedback, PromptTemplate
from tests.accounting.ledger import a_run
from tests.browser import in_a_browser

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = [*in_a_browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
BASE = "/admin/openedx_ai_extensions"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PAGES = [
    *("aiworkflowprofile/", "aiworkflowprofile/add/", "aiworkflowprofile/{profile}/change/"),
    *("aiworkflowprofile/{profile}/history/", "aiworkflowscope/", "aiworkflowscope/add/"),
    *("aiworkflowscope/{scope}/change/", "aiworkflowscope/why/?slot=unit-summary", "aiworkflowscope/transfer/"),
    *("prompttemplate/{prompt}/change/", "aiworkflowsession/", "aiworkflowsession/{session}/change/"),
    *("aiworkflowrun/", "aiworkflowrun/{run}/change/", "aiusagebyplace/", "ailimit/", "ailimit/add/"),
    *("aipause/add/", "ainotice/add/", "answerfeedback/", "answerfeedback/{feedback}/change/"),
]
# What Django itself, and its select boxes, make of a page.
DJANGOS = [
    [".select2"],
    ["#changelist-filter"],
    [".actions"],
    [".paginator"],
    [".related-widget-wrapper"],
    [".datetime"],
]
CONTEXT = {"include": [["#content"]], "exclude": DJANGOS}


@pytest.fixture
def names(make_scope, learner, provider):
    """Something of everything, and its keys."""
    scope = make_scope()
    run = a_run(user=learner)
    counters.count()
    AILimit.objects.create(per="site", period="month", requests=5)
    AIPause.objects.create()
    return {
        "scope": scope.pk,
        "profile": scope.profile.pk,
        "prompt": PromptTemplate.objects.create(slug="tutor", body="Be kind.").pk,
        "session": AIWorkflowSession.objects.create(user=learner, scope=scope, profile=scope.profile).pk,
        "run": run.pk,
        "feedback": AnswerFeedback.objects.create(
            user=learner, run_id="1", rating="down", text="No.", changed_at=run.created_at, answered_at=run.created_at
        ).pk,
    }


# What has styles of our own.
OUR_STYLES = ("{profile}/change", "why", "usage", "{session}", "feedback")
OURS = [path for path in PAGES if any(word in path for word in OUR_STYLES)]


@pytest.mark.parametrize(("scheme", "paths"), [("light", PAGES), ("dark", OURS)], ids=["light", "dark"])
def test_axe_finds_nothing(browser, live_server, admin_client, names, scheme, paths):
    page = browser.new_page(base_url=live_server.url, color_scheme=scheme)
    cookie = admin_client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    found = {}
    for path in [*paths, *_pages_without_rows(page)]:
        answer = page.goto(path if path.startswith("/") else f"{BASE}/{path.format(**names)}")
        assert answer.ok, (path, answer.status)
        violations = axe.Axe().run(page, context=CONTEXT, options=RULES).response["violations"]
        if violations:
            found[path] = [f"{each['id']}: {each['nodes'][0]['html'][:300]}" for each in violations]
    page.close()
    assert found == {}


def _pages_without_rows(page) -> list[str]:
    """Those that the index names: health, try it, what the model sees."""
    page.goto(f"{BASE}/")
    links = page.locator("#content th a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return [link for link in links if "/ai" not in link.removeprefix(BASE)[:4] and "prompt" not in link]
