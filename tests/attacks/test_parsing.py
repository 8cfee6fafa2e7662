"""What people write is read within bounds, and nothing is done with it before they are asked who they are."""

from __future__ import annotations

import json
import sys

import json5
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openedx_ai_extensions.core.json5 import MAX_LENGTH, Unreadable, read
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.template_utils import JSON5DecodeError, parse_json5_string
from tests.admin.conftest import staff_with  # noqa: F401  # a fixture

# What is refused although it is JSON5.
OURS_ALONE = ("twice", "finite", "64 bits", "cannot be stored", "__proto__", "too deeply", "longer than")
TOKENS = [*"{}[]:,'\"\\ \n/*+-.0123456789eExXaAbBtrufalsn_$NIy", "true", "null", r"\u0041", r"\x41", "//", "/*", "*/",
          "'a'", '"b"', "0x1F", "1e3", ".5", "5.", "\u2028", "\ufeff", "é", "\\\n", "Infinity", "NaN", r"\0", "\u00a0",
          "a:", "{a:", "[1,"]  # fmt: skip
values = st.recursive(
    st.sampled_from(["1", "-.5", "+0xF", "true", "null", "'a'", r"'\n\x41\u00e9\q'", '"\\\nx"', "1.5E-2", "''"]),
    lambda inner: st.one_of(
        st.builds("[{},{},]".format, inner, inner),
        st.builds("{{a: {}, /* c */ 'b' : {}}}".format, inner, inner),
        st.builds("{{$c:{} // c\n}}".format, inner),
    ),
    max_leaves=6,
)


@st.composite
def texts(draw):
    """JSON5, with a few changes that mostly break it."""
    text = draw(values)
    for _change in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(TOKENS)) + text[place + draw(st.integers(0, 1)) :]
    return text


@settings(max_examples=500, database=None, suppress_health_check=list(HealthCheck))
@given(texts())
def test_our_reader_reads_what_the_published_one_reads(text):
    try:
        theirs = repr(json5.loads(text))
    except ValueError:
        theirs = "refused"
    fault = None
    try:
        ours = repr(read(text))
    except Unreadable as error:
        fault = error
        ours = theirs if any(words in error.reason for words in OURS_ALONE) else "refused"
    assert ours == theirs
    assert fault is None or 0 <= fault.offset <= len(text)


def calls_to_read(text: str) -> int:
    """How many functions are called to read a text."""
    count = 0

    def tick(_frame, event, _arg):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(tick)
    try:
        read(text)
    except Unreadable:
        pass
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "piece", ["1,", "[],", "{},", "'',", "/**/", "/*", "'\\'", r"'\u0041',", "{a:1},", "[", "\n", "0x1,", "'x' "]
)
def test_twice_the_text_is_twice_the_work(piece):
    once, twice = (calls_to_read("[" + piece * number) for number in (500, 1000))
    assert twice <= 2.2 * once + 100


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{a: [" + "1," * 200_000 + "]}", id="a long list"),
        pytest.param("{a: '" + "x" * MAX_LENGTH + "'}", id="a long text"),
        pytest.param("/*" * 200_000, id="comments"),
        pytest.param("{" + "x" * 50_000 + ": 1}", id="a long name"),
        pytest.param("{a:" * 20_000, id="deep"),
        pytest.param("{a: " + "9" * 50_000 + "}", id="digits"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_place(text):
    with pytest.raises(JSON5DecodeError) as caught:
        parse_json5_string(text)
    assert caught.value.lineno == 1
    assert caught.value.colno


def test_a_patch_that_is_too_long_is_said_beside_the_patch(admin_client):
    patch = "{a: [" + "1," * 100_000 + "]}"
    form = {"slug": "mine", "description": "", "base_filepath": "base/summary.json5", "content_patch": patch}
    response = admin_client.post("/admin/openedx_ai_extensions/aiworkflowprofile/add/", form)
    assert "longer than 100000 characters" in response.content.decode()
    assert not AIWorkflowProfile.objects.exists()


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """The name of a module that must not be imported."""
    (tmp_path / "evil_orchestrators.py").write_text("class Evil: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "evil_orchestrators"
    sys.modules.pop("evil_orchestrators", None)


def upload_of(dotted: str) -> SimpleUploadedFile:
    profile = {"slug": "mine", "base_filepath": "base/summary.json5",
               "content_patch": f'{{orchestrator_class: "{dotted}"}}'}  # fmt: skip
    content = {"format": "openedx-ai-extensions", "version": 1, "profiles": [profile]}
    return SimpleUploadedFile("a.yaml", json.dumps(content).encode())


@pytest.mark.parametrize(
    ("may", "status"),
    [("change_aiworkflowscope", 200), ("add_prompttemplate", 200), ("view_aiworkflowprofile", 403)],
)
def test_nothing_is_imported_for_who_may_not_save_it(staff_with, make_scope, evil, may, status):  # noqa: F811
    make_scope(slug="mine")
    clerk = staff_with("view_aiworkflowscope", may)
    url = "/admin/openedx_ai_extensions/aiworkflowscope/transfer/import/"
    for slug in ("mine", "new"):
        if slug == "new":
            AIWorkflowProfile.objects.update(slug="another")
        response = clerk.client.post(url, {"file": upload_of(f"{evil}.Evil")}, follow=True)
        assert evil not in sys.modules
        assert response.status_code == status
        assert ("You do not have permission for this" in response.content.decode()) is (status == 200)
    assert not AIWorkflowProfile.objects.filter(content_patch__contains="Evil").exists()


def test_it_is_for_who_may(admin_client, evil):
    url = "/admin/openedx_ai_extensions/aiworkflowscope/transfer/import/"
    page = admin_client.post(url, {"file": upload_of(f"{evil}.Evil")}, follow=True).content.decode()
    assert evil in sys.modules
    assert "Evil" in page
