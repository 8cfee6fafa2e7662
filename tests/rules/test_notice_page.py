"""The page at which a notice is read, accepted and withdrawn, for clients that show no more than an error's message."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from openedx_ai_extensions.exceptions import ConsentRequired
from openedx_ai_extensions.models import AIConsent, AINotice
from tests.api.conftest import Api
from tests.rules.conftest import HERE
from tests.rules.test_consent import asked, consent

HOST = "http://testserver"


def address_in(response) -> str:
    """The address at the end of what the React package shows."""
    message = response.json()["error"]["message"]
    found = re.fullmatch(r"Please read and accept the notice about AI first: (\S+)", message)
    assert found, message
    assert found[1].startswith(HOST)
    return found[1].removeprefix(HOST)


@pytest.fixture
def address(as_learner, scope, notice) -> str:
    return address_in(as_learner.run("Why?", context=HERE))


def fields(page) -> dict[str, str]:
    """What the page's form would send, but for the button."""
    found = re.search(r'name="fingerprint" value="(\w+)"', page.content.decode())
    assert found
    return {"fingerprint": found[1]}


def test_from_the_refusal_to_the_answer(as_learner, address, scope, settings):
    settings.AI_EXTENSIONS["default"]["REGION"] = "EU"
    person = as_learner.client
    page = person.get(address)
    text = unescape(page.content.decode())
    assert page.status_code == 200
    assert "We send what you say to a company." in text
    assert "Example University (EU)" in text
    assert "no-store" in page["Cache-Control"]
    done = person.post(address, {**fields(page), "accepted": "yes"}, follow=True)
    assert done.redirect_chain == [(address, 302)]
    assert "You have accepted this notice." in done.content.decode()
    assert not asked(as_learner)
    assert consent(as_learner).json()["accepted"] is True
    person.post(address, {**fields(done), "accepted": "no"})
    assert asked(as_learner)
    assert AIConsent.objects.filter(holds=True).count() == 0


def test_only_what_was_shown_can_be_accepted(as_learner, address, notice):
    old = fields(as_learner.client.get(address))
    AINotice.objects.update(text="Other <b>words</b>.")
    page = as_learner.client.post(address, {**old, "accepted": "yes"})
    assert page.status_code == 409
    assert "The notice has changed. Please read it again." in page.content.decode()
    assert "Other &lt;b&gt;words&lt;/b&gt;." in page.content.decode()
    assert asked(as_learner)
    as_learner.client.post(address, {**fields(page), "accepted": "yes"})
    assert not asked(as_learner)


def test_its_web_addresses_are_links(as_learner, address):
    AINotice.objects.update(text='See https://example.org/a?b=1&c="><script>x</script>, or (http://example.org/d).')
    page = as_learner.client.get(address).content.decode()
    link = '<a href="{0}" target="_blank" rel="noopener">{0}</a>'
    assert link.format("https://example.org/a?b=1&amp;c=") + "&quot;&gt;&lt;script&gt;x&lt;/script&gt;, or (" in page
    assert link.format("http://example.org/d") + ")." in page


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param({}, 400, id="nothing"),
        pytest.param({"accepted": "perhaps"}, 400, id="what"),
        pytest.param({"accepted": "yes"}, 409, id="unseen"),
    ],
)
def test_a_form_that_the_page_does_not_have_changes_nothing(as_learner, address, data, status):
    assert as_learner.client.post(address, data).status_code == status
    assert not AIConsent.objects.exists()


def test_it_needs_a_login_and_comes_back(address):
    response = Client().get(address)
    assert (response.status_code, response.url) == (302, f"/accounts/login/?next={address}")


def test_it_needs_the_page_s_own_token(learner, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(learner)
    assert client.post(address, {"accepted": "no"}).status_code == 403


def test_each_person_accepts_for_themselves(as_learner, as_author, address):
    page = as_learner.client.get(address)
    as_learner.client.post(address, {**fields(page), "accepted": "yes"})
    assert address_in(as_author.run("Why?", context=HERE)) == address
    assert "You have accepted" not in as_author.client.get(address).content.decode()


def test_a_profile_s_own_notice(as_learner, address, scope):
    AINotice.objects.create(profile=scope.profile, text="For this tool.")
    assert "For this tool." in as_learner.client.get(address).content.decode()


def test_without_a_notice_there_is_no_page(as_learner, address, notice):
    assert as_learner.client.get(f"{address[:-1]}0/").status_code == 404
    notice.enabled = False
    notice.save()
    assert as_learner.client.get(address).status_code == 404


def test_it_speaks_the_person_s_language(as_learner, address):
    page = as_learner.client.get(address, headers={"accept-language": "ar"})
    assert 'lang="ar" dir="rtl"' in page.content.decode()


def test_what_is_said_without_a_request_names_the_path(as_learner, scope, notice, learner):
    """As in the middle of a stream."""
    with pytest.raises(ConsentRequired) as caught:
        scope.execute("Why?", "run", learner, {})
    assert str(caught.value).endswith(address_in(Api(learner).run("Why?", context=HERE)))
