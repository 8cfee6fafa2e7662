"""Bodies that cannot be read, or are too long: the client's error, whatever reads them first."""

import io
import time

import jwt
import pytest
from django.conf import settings as site
from django.test import Client

from openedx_ai_extensions.models import PromptTemplate
from tests.api.conftest import Api, error_of

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=parts"
TOKEN = "c" * 32
ENDPOINTS = {
    "workflows": ("POST", "aiext_workflows", ()),
    "consent": ("POST", "aiext_consent", ()),
    "prompts": ("PATCH", "aiext_prompt_detail", ("tutor",)),
}
UNREADABLE = (400, "parse_error")
TOO_LARGE = (413, "payload_too_large")


def part(name: str, value: str = "x", more: str = "") -> str:
    return f'--parts\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


def parts(*found: str) -> str:
    return "".join([*found, "--parts--\r\n"])


def an_input(written: str) -> str:
    return f'{{"action": "run", "body": "x", "accepted": true, "user_input": {written}}}'


BIG = "x" * 5_000_000
# The test client builds these requests as a server does: the body's true length, unless a row says otherwise.
ROWS = [
    pytest.param(JSON, an_input(f'"{BIG}"'), {}, TOO_LARGE, id="5 MB of JSON"),
    pytest.param(FORM, f"x={BIG}", {}, TOO_LARGE, id="5 MB of a form"),
    pytest.param(MULTIPART, parts(part("x", BIG)), {}, TOO_LARGE, id="5 MB of a form in parts"),
    pytest.param("", BIG, {}, TOO_LARGE, id="5 MB of no type"),
    pytest.param(
        JSON,
        "",
        {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(BIG.encode())},
        None,  # Django under WSGI reads nothing without a length
        id="5 MB in chunks",
    ),
    pytest.param(JSON, "{}", {"CONTENT_LENGTH": "9" * 15}, TOO_LARGE, id="a length of petabytes"),
    pytest.param(JSON, "{}", {"CONTENT_LENGTH": "9" * 5_000}, TOO_LARGE, id="a length of 5000 digits"),
    pytest.param(FORM, "&".join(f"a{n}=1" for n in range(2_000)), {}, UNREADABLE, id="too many fields"),
    pytest.param(MULTIPART, parts(*(part(f"a{n}") for n in range(2_000))), {}, UNREADABLE, id="too many parts"),
    pytest.param(
        MULTIPART, parts(*(part(f"a{n}", more='; filename="a"') for n in range(200))), {}, UNREADABLE, id="many files"
    ),
    pytest.param("multipart/form-data", "{}", {}, None, id="parts without a boundary"),
    pytest.param("multipart/form-data; boundary=\xff", "{}", {}, None, id="a boundary that is not ASCII"),
    pytest.param(MULTIPART, part("a").removesuffix("\r\n"), {}, None, id="parts that do not end"),
    pytest.param(MULTIPART, "{}", {"CONTENT_LENGTH": "-5"}, None, id="a negative length"),
    pytest.param(FORM, "a=1", {"CONTENT_LENGTH": "many"}, None, id="a length that is no number"),
    pytest.param(JSON, an_input('"long"'), {"CONTENT_LENGTH": "10"}, UNREADABLE, id="longer than it says"),
    pytest.param(
        JSON,
        "",
        {"CONTENT_LENGTH": "1000", "wsgi.input": io.BytesIO(b'{"action": "run"')},
        UNREADABLE,
        id="shorter than it says",
    ),
    pytest.param(f"{FORM}; charset=utf-16", "a=1", {}, UNREADABLE, id="a form in UTF-16"),
    pytest.param(JSON, an_input('"x"').encode("utf-16"), {}, UNREADABLE, id="UTF-16"),
    pytest.param(f"{JSON}; charset=utf-16", an_input('"x"').encode("utf-16"), {}, UNREADABLE, id="UTF-16, and says so"),
    pytest.param(f"{JSON}; charset=utf-7", an_input('"x"'), {}, None, id="another character set"),
    pytest.param(f"{JSON}; charset=unheard-of", an_input('"x"'), {}, None, id="an unknown character set"),
    pytest.param(JSON, b"\xef\xbb\xbf{}", {}, UNREADABLE, id="a byte order mark"),
    pytest.param(JSON, an_input('"\\ud800"').encode(), {}, None, id="half a character"),
    pytest.param(JSON, '{"\\ud800": 1, "action": "\\udfff"}', {}, None, id="half a character as a name"),
    pytest.param(JSON, '{"action": "\\u0000", "request_id": "\\u0000"}', {}, None, id="NUL"),
    pytest.param(JSON, an_input("[" * 900 + "]" * 900), {}, UNREADABLE, id="900 lists in one another"),
    pytest.param(JSON, an_input("[" * 300 + "]" * 300), {}, UNREADABLE, id="300 lists in one another"),
    pytest.param(JSON, an_input("NaN"), {}, UNREADABLE, id="not a number"),
    pytest.param(JSON, an_input("-Infinity"), {}, UNREADABLE, id="infinity"),
    pytest.param(JSON, an_input("[1, -1e999]"), {}, UNREADABLE, id="a number that no float can hold"),
    pytest.param(JSON, an_input("9" * 4_000), {}, UNREADABLE, id="an integer of 4000 digits"),
    pytest.param(JSON, an_input("9" * 5_000), {}, UNREADABLE, id="an integer of 5000 digits"),
    pytest.param(JSON, an_input(str(2**63)), {}, UNREADABLE, id="an integer that no database can hold"),
    pytest.param(JSON, an_input(str(-(2**63) - 1)), {}, UNREADABLE, id="a negative one"),
    pytest.param(JSON, '{"action": "dance", "action": "run", "body": "a", "body": 1}', {}, None, id="a name twice"),
]
LOGINS = ["session", "session with the token in a form", "JWT", "none"]


@pytest.fixture
def send(admin_user, make_scope):
    """Send a body to an endpoint, logged in as the site's staff, whom nothing else refuses."""
    make_scope(base_filepath="examples/mock.json5")
    PromptTemplate.objects.create(slug="tutor", body="You are a tutor.")

    def request(endpoint: str, login: str, content_type: str, body: str | bytes, **headers: str):
        method, name, arguments = ENDPOINTS[endpoint]
        client = Client(enforce_csrf_checks=True)
        if login.startswith("session"):
            client.force_login(admin_user)
            client.cookies[site.CSRF_COOKIE_NAME] = TOKEN
        if login == "session":
            headers["HTTP_X_CSRFTOKEN"] = TOKEN
        elif login == "JWT":
            claims = {
                "iss": site.LMS_ROOT_URL, "aud": "tests", "exp": int(time.time()) + 60, "version": "1.2.0",
                "preferred_username": admin_user.username, "email": admin_user.email,
            }  # fmt: skip
            headers["HTTP_AUTHORIZATION"] = f"JWT {jwt.encode(claims, site.SECRET_KEY, algorithm='HS256')}"
        url = Api.url(name, {"courseId": "course-v1:OpenedX+AIX+demo", "uiSlotSelectorId": "unit-summary"}, *arguments)
        return client.generic(method, url, body, content_type=content_type, **headers)

    return request


@pytest.mark.parametrize(("content_type", "body", "headers", "expected"), ROWS)
def test_no_body_is_a_fault_of_ours(send, caplog, content_type, body, headers, expected):
    for endpoint in ENDPOINTS:
        for login in LOGINS:
            response = send(endpoint, login, content_type, body, **headers)
            assert response.status_code < 500, (endpoint, login, response.content)
            if response.status_code != 200:
                told = error_of(response)
                assert expected in {None, told} or login not in {"session", "JWT"}, (endpoint, login, told)
    assert "request.failed" not in caplog.text


@pytest.mark.parametrize("content_type", [JSON, FORM, MULTIPART])
def test_the_sites_own_limit_is_another_reason_to_refuse(send, settings, content_type):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    body = parts(part("x", "x" * 2_000)) if content_type == MULTIPART else an_input(f'"{"x" * 2_000}"')
    for endpoint in ENDPOINTS:
        for login in ("session", "JWT"):
            assert error_of(send(endpoint, login, content_type, body)) == TOO_LARGE, (endpoint, login)


def test_a_client_that_goes_away_while_it_is_read(send):
    class Broken(io.BytesIO):
        def read(self, *_size):
            raise OSError("connection reset")

    for endpoint in ENDPOINTS:
        for content_type in (JSON, FORM, MULTIPART):
            extra = {"CONTENT_LENGTH": "1000", "wsgi.input": Broken()}
            assert send(endpoint, "session", content_type, "", **extra).status_code == 400, (endpoint, content_type)


def test_a_query_with_too_many_parameters(as_learner):
    url = "&".join([as_learner.url("aiext_ui_config"), *(f"a{n}=1" for n in range(2_000))])
    assert error_of(as_learner.client.get(url)) == UNREADABLE
