"""Absurd values, and parameters left out or said twice, at every door: each is answered, and none is a fault of ours.

``MADE_UP_VALUES=5000 pytest tests/attacks/test_made_up_values.py`` makes a long run of it.
"""

from __future__ import annotations

import json
import os
from urllib.parse import urlencode

import pytest
import yaml
from django.contrib import admin as django_admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html

from openedx_ai_extensions.models import AIPause
from tests.accounting.ledger import a_run
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

pytestmark = [pytest.mark.django_db, pytest.mark.once]

made_up = settings(
    max_examples=int(os.environ.get("MADE_UP_VALUES") or 60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

NUMBERS = [0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, float("inf"), float("nan"), 0.1, True]
TEXTS = [
    "", " ", "0", "-1", "1e999", "NaN", "null", "[]", "{}", "None", "\0", "\ud800", "\U0001f600", "\u202e", "\ufeff",
    "\r\n",
    "'", '"', "<", "%", "%00", "%ff", "__proto__", "..", "/", "\\", "a" * 300, "9" * 5000, "2026-02-30", "0000-00-00",
    "9999-12-31T23:59:59", COURSE_ID, UNIT_ID, SLOT, "course-v1:a+b", "lms", "cms", "base/summary.json5", "../../x",
    "(a+)+$", "[", "os.system", "yes",
]  # fmt: skip
texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20))
scalars = st.one_of(st.none(), st.sampled_from(NUMBERS), texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


def chosen(names, each=values):
    """Any of these names, with anything."""
    return st.dictionaries(st.sampled_from(names), each, max_size=len(names))


def pairs(names):
    """Of an address or a form: any of these names, often several times."""
    return st.lists(st.tuples(st.sampled_from(names), texts), max_size=8)


def encoded(given_pairs) -> str:
    return urlencode([(name, text.encode("utf-8", "surrogatepass")) for name, text in given_pairs])


CONTEXT = ("courseId", "locationId", "uiSlotSelectorId", "course_id", "location_id", "ui_slot_selector_id")
BODY = ("action", "request_id", "requestId", "user_input", "userInput", "context", "body", "version", "updated_at",
        "user_id", "session_id", "task_id")  # fmt: skip
ACTIONS = ["run", "simple_button_assistance", "run_async", "get_run_status", "cancel_run", "clear_session",
           "lazy_load_chat_history", "get_current_session_response", "save", "__init__", "execute"]  # fmt: skip
contexts = st.one_of(chosen(CONTEXT), values)
queries = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("context", *CONTEXT, "format", "page", "limit")), texts),
        st.tuples(st.just("context"), contexts.map(json.dumps)),
    ),
    max_size=4,
)
bodies = st.one_of(
    values,
    st.tuples(chosen(BODY), st.sampled_from(ACTIONS), contexts).map(
        lambda parts: {**parts[0], "action": parts[1], "context": parts[2]}
    ),
)
ENDPOINTS = ("workflows", "ui_config", "consent", "limits", "profiles_list", "course_text", "prompt_detail")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_endpoints(learner, make_scope, provider, endpoint):
    make_scope()
    client = Client()
    client.force_login(learner)
    args = ("tutor",) if endpoint == "prompt_detail" else ()
    address = reverse(f"openedx_ai_extensions:api:v1:aiext_{endpoint}", args=args)

    @made_up
    @given(method=st.sampled_from(["get", "post", "patch"]), query=queries, body=bodies)
    def try_it(method, query, body):
        data = {} if method == "get" else {"data": json.dumps(body), "content_type": "application/json"}
        response = getattr(client, method)(f"{address}?{encoded(query)}", **data)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code < 500, content
        if response.status_code >= 400:
            assert json.loads(content)["error"]["code"]

    try_it()


PAGES = [
    reverse(f"admin:openedx_ai_extensions_{model._meta.model_name}_{name}")
    for model, page in django_admin.site._registry.items()
    if model._meta.app_label == "openedx_ai_extensions"
    for name in ("changelist", "add")
    if name == "changelist" or (not hasattr(page, "page") and page.has_add_permission.__qualname__.startswith("Base"))
] + [reverse(f"admin:openedx_ai_extensions_aiworkflowscope_{name}") for name in ("why", "locations", "transfer_export")]


@pytest.fixture
def operator(admin_user):
    client = Client()
    client.force_login(admin_user)
    return client


def names_on(client, address) -> list[str]:
    """What the forms of a page send, and what its lists and links ask for."""
    page = html.fromstring(client.get(address, follow=True).content)
    names = page.xpath("//*[self::input or self::select or self::textarea]/@name")
    links = [
        part.split("=")[0] for link in page.xpath("//a/@href[starts-with(., '?')]") for part in link[1:].split("&")
    ]
    return sorted(
        {*names, *filter(None, links), "q", "p", "o", "all", "e", "_facets", "_popup", "id"} - {"csrfmiddlewaretoken"}
    )


@pytest.mark.parametrize("address", PAGES)
def test_the_pages_of_the_admin(operator, address, make_scope, learner):
    make_scope()
    AIPause.objects.create()
    a_run(user=learner)
    names = names_on(operator, address)

    @made_up
    @given(query=pairs(names), form=st.one_of(st.none(), pairs(names)))
    def try_it(query, form):
        target = f"{address}?{encoded(query)}"
        if form is None:
            response = operator.get(target)
        else:
            response = operator.post(target, encoded(form), content_type="application/x-www-form-urlencoded")
        assert response.status_code < 500

    try_it()


ENTRIES = {
    "profiles": ("slug", "base_filepath", "content_patch", "description", "uuid"),
    "prompts": ("slug", "body", "id"),
    "scopes": ("profile", "course_id", "location_regex", "service_variant", "ui_slot_selector_id", "enabled",
               "outside_courses"),
}  # fmt: skip
documents = st.one_of(
    values,
    st.fixed_dictionaries(
        {"format": st.just("openedx-ai-extensions"), "version": st.one_of(st.just(1), scalars)},
        optional={kind: st.one_of(st.lists(chosen(names), max_size=3), values) for kind, names in ENTRIES.items()},
    ),
)
tables = st.lists(st.lists(texts, max_size=8), max_size=4).map(
    lambda rows: "\n".join([",".join(ENTRIES["scopes"]), *(",".join(f'"{cell}"' for cell in row) for row in rows)])
)
files = st.one_of(
    documents.map(lambda document: ("file.yaml", yaml.safe_dump(document, allow_unicode=True))),
    st.tuples(st.just("file.yaml"), texts),
    tables.map(lambda table: ("file.csv", table)),
)


@made_up
@given(file=files)
def test_a_file_to_import(operator, file):
    name, text = file
    upload = SimpleUploadedFile(name, text.encode("utf-8", "surrogatepass"))
    address = reverse("admin:openedx_ai_extensions_aiworkflowscope_transfer_import")
    page = operator.post(address, {"file": upload})
    assert page.status_code == 200
    form = {
        box.get("name"): box.get("value")
        for box in html.fromstring(page.content).xpath("//form[.//input[@name='fingerprint']]//input[@name]")
    }
    if form:
        assert operator.post(address, form).status_code in {200, 302}
