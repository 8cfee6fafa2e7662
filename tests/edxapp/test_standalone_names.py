"""How exports name the files of their blocks: as the platform reads them, and as authors write them by hand."""

import pytest

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from tests.edxapp.exports import COURSE_KEY, LEARNER, block_key


def html(pointer: str, **files: str) -> dict[str, str | None]:
    """The sample course with one page, named in this way, and these files."""
    return {"html/h1.xml": None, "html/h1.html": None, "vertical/u1.xml": f"<vertical>{pointer}</vertical>", **files}


HERE, ELSEWHERE = "<p>Here</p>", "<p>Elsewhere</p>"
PAGES = [
    pytest.param('<html url_name="h1" filename="a.html"/>', {"html/a.html": HERE}, id="the extension written out"),
    pytest.param('<html url_name="h1" filename="a.htm"/>', {"html/a.htm": HERE}, id="another extension"),
    pytest.param('<html url_name="h1" filename="A.HTML"/>', {"html/A.HTML": HERE}, id="an extension in capitals"),
    pytest.param('<html url_name="h1" filename="a.html"/>', {"html/a.html.html": HERE}, id="a name with two of them"),
    pytest.param('<html url_name="h1" filename="v1.2"/>', {"html/v1.2.html": HERE}, id="a name with a point"),
    pytest.param('<html filename="a.html"/>', {"html/a.html": HERE}, id="no name of its own"),
    pytest.param(
        '<html url_name="h1" filename="a.html"/>',
        {"html/a.html": HERE, "html/a.html.html": ELSEWHERE},
        id="the name as it is comes first",
    ),
    pytest.param('<html url_name="h1"/>', {"html/h1.xml": '<html filename="a.html"/>', "html/a.html": HERE}, id="XML"),
    pytest.param(
        '<html url_name="w1:h1"/>',
        {"html/w1/h1.xml": '<html filename="h1"/>', "html/w1/h1.html": HERE, "html/h1.html": ELSEWHERE},
        id="beside the block's own file",
    ),
    pytest.param(
        '<html url_name="w1:h1"/>',
        {"html/w1/h1.xml": '<html filename="w1/h1"/>', "html/w1/h1.html": HERE},
        id="from the folder of all pages",
    ),
    pytest.param('<html url_name="h1" filename="w1/a.html"/>', {"html/w1/a.html": HERE}, id="in a folder"),
    pytest.param(
        '<html url_name="h1" filename="html/a.html"/>', {"html/a.html": HERE}, id="with the category's folder"
    ),
    pytest.param('<html url_name="h1" filename="/a.html"/>', {"html/a.html": HERE}, id="with a slash before it"),
    pytest.param('<html url_name="h1" filename="./a.html"/>', {"html/a.html": HERE}, id="with a point before it"),
    pytest.param(r'<html url_name="h1" filename="w1\a.html"/>', {"html/w1/a.html": HERE}, id="a backslash"),
    pytest.param('<html url_name="h1" filename="a%20b.html"/>', {"html/a b.html": HERE}, id="percent-encoded"),
    pytest.param('<html url_name="h1" filename="a b"/>', {"html/a%20b.html": HERE}, id="a file that is"),
    pytest.param('<html url_name="h1" filename="Intro.html"/>', {"html/intro.html": HERE}, id="other capitals"),
    pytest.param('<html url_name="h1" filename="info/a"/>', {"html/info/a.html": HERE}, id="a folder named info"),
    pytest.param('<html url_name="h1" filename="static/a"/>', {"html/static/a.html": HERE}, id="a folder named static"),
    pytest.param('<html url_name="h1" filename="drafts/a"/>', {"html/drafts/a.html": HERE}, id="a folder named drafts"),
]


def texts(platform) -> list[str]:
    (unit,) = platform.content(LEARNER, block_key("vertical/u1"), RetrievalMode.UNIT)
    return [child.fields["data"] for child in unit.children]


@pytest.mark.parametrize(("pointer", "files"), PAGES)
def test_a_page_is_found_by_its_name(build, pointer, files):
    assert texts(build(html(pointer, **files))) == [HERE]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"html/intro.html": HERE, "html/INTRO.html": HERE}, id="two that differ in capitals"),
        pytest.param({"static/a.html": HERE}, id="a file that is no page"),
        pytest.param({"Intro.html": HERE}, id="beside the course"),
        pytest.param({"html/Intro.xml": "<html>Not HTML</html>"}, id="the block's definition"),
    ],
)
@pytest.mark.parametrize(
    "filename", ["Intro", "Intro.html", "../Intro", "html/../../Intro", "", "/", "..", "Intro.xml"]
)
def test_nothing_else_is_taken_for_a_page(build, caplog, filename, files):
    found = texts(build(html(f'<html url_name="h1" filename="{filename}"/>', **files)))
    assert found in ([], [""])
    assert bool(filename) is ("its file is missing" in caplog.text)


@pytest.mark.parametrize(
    ("pointer", "files"),
    [
        pytest.param('<problem url_name="w1:p1"/>', ["problem/w1/p1.xml"], id="in a folder"),
        pytest.param('<problem url_name="p1.xml"/>', ["problem/p1.xml"], id="the extension written out"),
        pytest.param('<problem url_name="p1.xml"/>', ["problem/p1.xml.xml"], id="a name with two of them"),
        pytest.param(
            '<problem url_name="p" filename="p1.xml"/>', ["problem/p1.xml"], id="the oldest form, written out"
        ),
        pytest.param('<problem url_name="p" filename="/w1/p1"/>', ["problem/w1/p1.xml"], id="with a slash before it"),
        pytest.param('<problem url_name="p" filename="p1"/>', ["problems/p1.xml"], id="the oldest folder"),
        pytest.param('<problem url_name="P1"/>', ["problem/p1.xml"], id="other capitals"),
        pytest.param('<problem url_name="p" filename="p%201"/>', ["problem/p 1.xml"], id="percent-encoded"),
    ],
)
def test_a_problem_is_found_by_its_name(build, pointer, files):
    changes = dict.fromkeys(files, "<problem><p>Why?</p></problem>")
    assert texts(build({"vertical/u1.xml": f"<vertical>{pointer}</vertical>", **changes})) == [
        "<problem><p>Why?</p></problem>"
    ]


@pytest.mark.parametrize("name", ["a.srt", "/static/a.srt", "static/a.srt", "A.srt", "/a.srt"])
@pytest.mark.parametrize("form", ['<transcript language="en" src="{}"/>', "{}"], ids=["element", "attribute"])
def test_a_transcript_is_found_by_its_name(build, name, form):
    declared = form.format(name) if "<" in form else ""
    field = "" if declared else f""" transcripts='{{"en": "{name}"}}'"""
    video = f'<video url_name="v1"{field}>{declared}</video>'
    files = {"static/a.srt": "1\n00:00:00,000 --> 00:00:01,000\nSaid\n"}
    platform = build({"vertical/u1.xml": f"<vertical>{video}</vertical>", **files})
    (unit,) = platform.content(LEARNER, block_key("vertical/u1"), RetrievalMode.UNIT)
    assert unit.children[0].fields["transcript"] == "Said"


@pytest.mark.parametrize(
    ("files", "overview"),
    [
        pytest.param({"about/overview.html": "A"}, "A", id="one for all runs"),
        pytest.param({"about/r1/overview.html": "B"}, "B", id="one for this run"),
        pytest.param({"about/overview.html": "A", "about/r1/overview.html": "B"}, "B", id="both"),
        pytest.param({"about/overview.html": "A", "about/r2/overview.html": "B"}, "A", id="one for another run"),
        pytest.param({"about/Overview.HTML": "A"}, "A", id="capitals"),
    ],
)
def test_the_about_pages_of_a_run(build, files, overview):
    assert build(files).course_info(COURSE_KEY).overview == overview
