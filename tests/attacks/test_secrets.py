"""Sixty credentials, in every place where somebody may have put one: nobody reads any of them anywhere."""

from __future__ import annotations

import io
import logging

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils.log import AdminEmailHandler

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowProfileVersion, PromptTemplate
from openedx_ai_extensions.plugin_settings import plugin_settings
from openedx_ai_extensions.workflows.configuration import ConfigurationQuerySet
from tests.api.conftest import Api
from tests.author.conftest import Pages
from tests.conftest import COURSE_ID, UNIT_ID

# A token of each usual form; the second half is made up.
FORMS = [
    "sk-{0}", "sk-proj-{0}", "sk-ant-api03-{0}", "sk-or-v1-{0}", "AIzaSy{0}", "AKIA{1}", "ASIA{1}", "hf_{0}", "gsk_{0}",
    "ghp_{0}", "gho_{0}", "github_pat_{0}", "glpat-{0}", "xoxb-{0}", "xai-{0}", "r8_{0}", "pplx-{0}", "nvapi-{0}",
    "npm_{0}", "pypi-{0}", "ya29.{0}", "SG.{0}.{0}", "eyJ{0}.eyJ{0}.{0}", "sk_live_{0}", "Bearer {0}",
    "https://user:{0}@llm.example.com/v1",
]  # fmt: skip


def token(number: int) -> str:
    return FORMS[number % len(FORMS)].format(f"q7Z{number:03}wLkP3vXy9TnB2mRd6c", f"Q7Z{number:03}WLKP3VXY9T")


class Planted:
    """Hands out credentials, and knows them all."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def form(self) -> str:
        """One that shows by its form."""
        self.found.append(token(len(self.found)))
        return self.found[-1]

    def plain(self) -> str:
        """One that only its place, or its name, gives away."""
        self.found.append(f"plain-{len(self.found):03}-Zq8wLk")
        return self.found[-1]

    def leaks(self, text: str) -> list[str]:
        cores = {
            secret: secret.removeprefix("Bearer ").removeprefix("https://user:").split("@")[0] for secret in self.found
        }
        return [secret for secret, core in cores.items() if core in text]


@pytest.fixture
def planted(settings, provider, make_scope, tmp_path):
    """A site on which they are everywhere."""
    secrets = Planted()
    plain, form = secrets.plain, secrets.form
    configured = {name: plain() for name in ("provider", "mcp", "mcp_url", "cache", "moderator", "database", "headers")}
    settings.AI_EXTENSIONS = {
        "default": {
            "MODEL": "openai/gpt-fake", "API_KEY": configured["provider"], "API_BASE": provider.base_url,
            "EXTRA_HEADERS": {"X-Route": configured["headers"], "Content-Type": "application/json"},
        }
    }  # fmt: skip
    settings.AI_EXTENSIONS_MCP_CONFIGS = {
        "maps": {
            "URL": f"https://mcp.example.com/?key={configured['mcp_url']}",
            "HEADERS": {"X-Map": configured["mcp"]},
        }
    }
    settings.AI_EXTENSIONS_LLM_CACHE = {"type": "redis", "host": "localhost", "password": configured["cache"]}
    settings.AI_EXTENSIONS_MODERATORS = {"own": {"KIND": "a.b.C", "API_KEY": configured["moderator"]}}
    settings.CELERY_BROKER_URL = f"redis://:{configured['database']}@localhost/0"
    harmless = "{processor_config: {LLMProcessor: {stream: false}}}"
    patches = [
        f'// api_key: "{plain()}"\n{harmless}',
        f"/* the password is {plain()} */ {harmless}",
        f"// x-api-key = {plain()}\n// token: '{plain()}'\n{harmless}",
        f"{{our_extension: {{api_key: '{plain()}', nested: [{{client_secret: '{plain()}'}}]}}}}",
        f"{{our_extension: {{note: 'as in {configured['mcp']}', x: '{configured['cache']}'}}}}",
        *(f"{{our_extension: {{note: '{form()}'}}}}" for _number in range(14)),
        *(f"// {form()}\n{harmless}" for _number in range(14)),
    ]
    broken = [f"{{api_key: '{plain()}'", f"{form()}", f"{{a: 1 b: '{form()}'}}"]
    for number, patch in enumerate([*patches, *broken]):
        described = f"For testing: {form()}" if number < 8 else ""
        scope = make_scope(slug=f"p{number}", slot=f"s{number}")
        rows = AIWorkflowProfile.objects.filter(pk=scope.profile_id)
        # As an older release may have stored it; a version of it is kept.
        super(ConfigurationQuerySet, rows).update(content_patch=patch, description=described)
        AIWorkflowProfileVersion.objects.filter(profile=scope.profile).update(content_patch=patch)
    bodies = [form() for _number in range(8)] + list(configured.values())
    for number, secret in enumerate(bodies):
        PromptTemplate.objects.create(slug=f"prompt-{number}", body=f"Be kind. {secret} is for you.")
    return secrets


@pytest.fixture
def clerk(db):
    """May look at everything, and change nothing."""
    user = get_user_model().objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="openedx_ai_extensions").filter(codename__startswith="view_")
    )
    client = Client()
    client.force_login(user)
    return client


def admin_page(name):
    return reverse(f"admin:openedx_ai_extensions_{name}")


def pages_of(model, *names):
    for row in model.objects.all():
        for name in names:
            yield reverse(f"admin:openedx_ai_extensions_{model._meta.model_name}_{name}", args=(row.pk,))


def test_sixty_are_planted(planted):
    assert len(set(planted.found)) >= 60


def test_course_staff_read_none(planted, author):
    api = Api(author)
    shown = [api.profiles({"courseId": COURSE_ID})]
    shown += [api.prompt(prompt.slug, {"courseId": COURSE_ID}) for prompt in PromptTemplate.objects.all()]
    assert {response.status_code for response in shown} == {200}
    assert planted.leaks("".join(response.content.decode() for response in shown)) == []
    assert "Be kind. [REDACTED] is for you." in shown[-1].json()["body"]


def test_who_may_only_look_reads_none_in_the_admin(planted, clerk):
    addresses = [*pages_of(AIWorkflowProfile, "change", "history"), *pages_of(PromptTemplate, "change", "history")]
    addresses += [
        reverse("admin:openedx_ai_extensions_aiworkflowprofile_version", args=(version.profile_id, version.number))
        for version in AIWorkflowProfileVersion.objects.all()
    ]
    addresses += [
        reverse(f"admin:openedx_ai_extensions_{name}")
        for name in ("aiworkflowprofile_changelist", "prompttemplate_changelist", "aiworkflowscope_changelist",
                     "aiworkflowscope_transfer")
    ]  # fmt: skip
    kinds = "&".join(f"only={kind}" for kind in ("prompts", "profiles", "scopes"))
    addresses.append(
        reverse("admin:openedx_ai_extensions_aiworkflowscope_transfer_export") + f"?{kinds}&file_format=yaml"
    )
    for address in addresses:
        response = clerk.get(address)
        assert response.status_code == 200, address
        assert planted.leaks(response.content.decode()) == [], address


def test_the_pages_that_ask_and_try_show_none(planted, clerk, learner, provider, settings):
    clerk_user = get_user_model().objects.get(username="clerk")
    clerk_user.user_permissions.add(
        *Permission.objects.filter(codename__in=("try_workflow", "try_as_another", "view_usage_report"))
    )
    here = {"course": COURSE_ID, "location": UNIT_ID, "person": "learner"}
    query = {"service": "lms", "course": COURSE_ID, "location": UNIT_ID, "person": "learner"}
    shown = [clerk.get(admin_page("health")), clerk.get(admin_page("model_view"), {"retrieval_mode": "unit", **here})]
    shown += [
        clerk.get(admin_page("aiusagebyplace_changelist"), {"by": by, "show": "tokens"})
        for by in ("profile", "provider")
    ]
    # Prompts and patches that hold a credential, and an error of the provider that repeats one.
    for number, profile in enumerate(AIWorkflowProfile.objects.all()):
        shown.append(clerk.get(admin_page("aiworkflowscope_why"), {"slot": f"s{number}", **query}))
        data = {"try": "1", "model": "mock", "profile": profile.pk, "text": "Why?", **here}
        shown.append(clerk.post(admin_page("try_it"), data))
    message = {"error": {"message": f"Wrong key: {planted.found[0]}, {planted.found[-1]}"}}
    provider.fail(401, message, times=1)
    data = {"try": "1", "model": "real", "profile": AIWorkflowProfile.objects.get(slug="p5").pk, "text": "Why?", **here}
    shown.append(clerk.post(admin_page("try_it"), data))
    for response in shown:
        assert response.status_code == 200, response.request
        assert planted.leaks(response.content.decode()) == [], response.request


def test_the_pages_of_a_course_show_none(planted, author, make_scope):
    pages = Pages(author, COURSE_ID)
    shown = [pages.get(name) for name in ("workflows", "try", "usage")]
    for prompt in PromptTemplate.objects.all():
        patch = {"processor_config": {"LLMProcessor": {"prompt_template": prompt.slug}}}
        make_scope(slug=f"uses-{prompt.slug}", slot=f"uses-{prompt.slug}", patch=patch)
        shown.append(pages.get("prompt", pk=prompt.pk))
        make_scope(slug=f"all-{prompt.slug}", slot=f"all-{prompt.slug}", patch=patch, course_id=None)
        shown.append(pages.get("prompt", pk=prompt.pk))
    assert {page.status for page in shown} == {200}
    assert "Be kind. [REDACTED] is for you." in shown[-2].text
    assert "Be kind. [REDACTED] is for you." in shown[-1].text
    for page in shown:
        assert planted.leaks(page.source) == []


class Failing:
    """Code with a fault."""

    def __call__(self, *_args, **_kwargs):
        raise RuntimeError


def test_an_error_page_and_an_error_by_mail_hold_none(planted, clerk, settings, mailoutbox, monkeypatch):
    plugin_settings(settings)
    settings.ADMINS = [("Operator", "operator@example.com")]
    (address,) = list(pages_of(AIWorkflowProfile, "change"))[5:6]
    monkeypatch.setattr(AIWorkflowProfile, "__str__", Failing())
    clerk.raise_request_exception = False
    for debug in (True, False):
        settings.DEBUG = debug
        response = clerk.get(address)
        assert response.status_code == 500
        assert planted.leaks(response.content.decode()) == []
    handler = AdminEmailHandler(include_html=True)
    record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Failed", None, response.exc_info)
    record.request = response.wsgi_request
    handler.emit(record)
    assert any(mail.alternatives for mail in mailoutbox)
    for mail in mailoutbox:
        assert planted.leaks(mail.body + "".join(str(part) for part, _kind in mail.alternatives)) == []


def test_a_site_keeps_its_own_reporter_of_errors(settings):
    settings.DEFAULT_EXCEPTION_REPORTER = "tests.attacks.test_secrets.Failing"
    plugin_settings(settings)
    assert settings.DEFAULT_EXCEPTION_REPORTER == "tests.attacks.test_secrets.Failing"


def test_nor_finds_any_by_searching(planted, clerk):
    for model, words in (("prompttemplate", "Be kind. sk-"), ("aiworkflowprofile", "For testing: ")):
        response = clerk.get(reverse(f"admin:openedx_ai_extensions_{model}_changelist"), {"q": words})
        assert response.context["cl"].result_count == 0


def test_none_is_in_exports_checks_errors_or_logs(planted, clerk, learner, author, provider, caplog):
    caplog.set_level(logging.DEBUG)
    out = io.StringIO()
    call_command("ai_export", stdout=out)
    for command in ("ai_check", "check"):  # some of it is broken
        with pytest.raises(CommandError) as caught:
            call_command(command, stdout=out, stderr=out)
        out.write(str(caught.value))
    for status in (401, 400, 500):
        provider.fail(status, {"error": {"message": f"Wrong key: {planted.found[0]}, {planted.found[-1]}"}}, times=1)
        response = Api(learner).run("Why?", context={"courseId": COURSE_ID, "uiSlotSelectorId": "s5"})
        out.write(response.content.decode() if not response.streaming else "")
    out.write(Api(author).patch_prompt("prompt-0", {"body": 7}, {"courseId": COURSE_ID}).content.decode())
    assert planted.leaks(out.getvalue()) == []
    assert planted.leaks(caplog.text) == []


def test_a_text_that_was_read_without_its_credentials_is_not_stored_like_that(planted, make_scope, author):
    make_scope(slug="uses", slot="uses", patch={"processor_config": {"LLMProcessor": {"prompt_template": "prompt-0"}}})
    api, here = Api(author), {"courseId": COURSE_ID}
    body = api.prompt("prompt-0", here).json()["body"]
    response = api.patch_prompt("prompt-0", {"body": body + " More."}, here)
    assert response.status_code == 400
    assert "[REDACTED]" in response.json()["error"]["message"]
    assert api.patch_prompt("prompt-0", {"body": "Be kind."}, here).status_code == 200


@pytest.mark.parametrize(
    "patch",
    ["// kinder\n{note: 'x'}", "// token: none\n{}", "// max_tokens: 300 is enough\n{}", "{note: 'The password is it'}",
     "// see https://llm.example.com:8443/v1\n{}", "// the secret is to be short\n{}"],
)  # fmt: skip
def test_what_is_harmless_is_shown(clerk, make_scope, patch):
    profile = make_scope(patch=patch).profile
    page = clerk.get(reverse("admin:openedx_ai_extensions_aiworkflowprofile_change", args=(profile.pk,)))
    assert "Without comments" not in page.content.decode()
