"""What the standalone backend gives: selections, outline, fields."""

from __future__ import annotations

import json

import pytest

from openedx_ai_extensions.edxapp.interface import Platform, RetrievalMode
from openedx_ai_extensions.edxapp.standalone import StandalonePlatform
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.exports import (
    AUTHOR,
    COURSE_KEY,
    LEARNER,
    STRANGER,
    block_key,
    platform_for,
    write_directory,
    write_tar,
)

UNIT, SEQUENCE, UP_TO = RetrievalMode.UNIT, RetrievalMode.SEQUENCE, RetrievalMode.UP_TO_CURRENT_UNIT


def units(platform, user, location, mode):
    return [unit.usage_key.block_id for unit in platform.content(user, block_key(location), mode)]


@pytest.mark.parametrize(
    ("location", "mode", "expected"),
    [
        pytest.param("html/h2", UNIT, ["u2"], id="a block stands for its unit"),
        pytest.param("vertical/u2", UNIT, ["u2"], id="a unit is itself"),
        pytest.param("sequential/s1", UNIT, ["u1", "u2"], id="a sequence stands for its units"),
        pytest.param("chapter/ch1", UNIT, ["u1", "u2", "u3"], id="a chapter stands for its units"),
        pytest.param("course/course", UNIT, ["u1", "u2", "u3", "u4"], id="the course stands for all units"),
        pytest.param("html/h1", SEQUENCE, ["u1", "u2"], id="a block's sequence"),
        pytest.param("vertical/u3", SEQUENCE, ["u3"], id="a unit's sequence"),
        pytest.param("sequential/s1", SEQUENCE, ["u1", "u2"], id="a sequence's own units"),
        pytest.param("chapter/ch1", SEQUENCE, ["u1", "u2", "u3"], id="a chapter is in no sequence"),
        pytest.param("html/h3", UP_TO, ["u1", "u2", "u3"], id="from the start up to the block's unit"),
        pytest.param("vertical/u1", UP_TO, ["u1"], id="the first unit has nothing before it"),
        pytest.param("vertical/u4", UP_TO, ["u1", "u2", "u3", "u4"], id="across chapters"),
        pytest.param("sequential/s1", UP_TO, ["u1", "u2"], id="up to the end of a sequence"),
    ],
)
def test_modes_select_whole_units_in_reading_order(build, location, mode, expected):
    assert units(build(), LEARNER, location, mode) == expected


@pytest.mark.parametrize("mode", list(RetrievalMode))
def test_hidden_units_and_blocks_are_absent_for_learners(build, mode):
    platform = build(
        {
            "vertical/u1.xml": '<vertical visible_to_staff_only="true"><html url_name="h1"/></vertical>',
            "html/h3.xml": '<html filename="h3" visible_to_staff_only="true"/>',
            "vertical/u3.xml": '<vertical><html url_name="h3"/><html url_name="more">More</html></vertical>',
        }
    )
    seen = platform.content(LEARNER, block_key("chapter/ch1"), mode)
    assert [unit.usage_key.block_id for unit in seen] == ["u2", "u3"]
    assert [child.usage_key.block_id for child in seen[1].children] == ["more"]
    assert units(platform, AUTHOR, "chapter/ch1", mode) == ["u1", "u2", "u3"]


@pytest.mark.parametrize(
    ("user", "location"),
    [
        pytest.param(LEARNER, "html/nowhere", id="unknown"),
        pytest.param(LEARNER, "vertical/u1", id="hidden"),
        pytest.param(STRANGER, "vertical/u2", id="not enrolled"),
    ],
)
def test_what_may_not_be_seen_reads_as_if_it_were_not_there(build, user, location):
    platform = build({"vertical/u1.xml": '<vertical visible_to_staff_only="true"><html url_name="h1"/></vertical>'})
    with pytest.raises(ProcessorError, match="does not exist or is not open to you"):
        platform.content(user, block_key(location), UNIT)


def test_the_outline_goes_down_to_the_units_that_one_sees(build):
    platform = build({"vertical/u2.xml": '<vertical display_name="U2" visible_to_staff_only="true"/>'})

    def titles(nodes):
        return [(node.display_name, titles(node.children)) for node in nodes]

    two = ("Two", [("S3", [("U4", [])])])
    assert titles(platform.course_outline(LEARNER, COURSE_KEY)) == [
        ("One", [("S1", [("U1", [])]), ("S2", [("U3", [])])]),
        two,
    ]
    assert titles(platform.course_outline(AUTHOR, COURSE_KEY)) == [
        ("One", [("S1", [("U1", []), ("U2", [])]), ("S2", [("U3", [])])]),
        two,
    ]


def test_course_info_comes_from_metadata_policy_and_the_about_folder(build):
    platform = build(
        {
            "course/r1.xml": '<course display_name="Old" start="2024-01-02T03:04:05Z" end="never"/>',
            "policies/r1/policy.json": json.dumps({"course/r1": {"display_name": "New", "language": "fr"}}),
            "about/overview.html": "<p>Voilà</p>",
            "about/short_description.html": "Court",
        }
    )
    info = platform.course_info(COURSE_KEY)
    assert (info.title, info.language, info.overview, info.short_description) == ("New", "fr", "<p>Voilà</p>", "Court")
    assert (info.start.isoformat(), info.end, info.syllabus) == ("2024-01-02T03:04:05+00:00", None, "")


def test_an_unknown_course_is_said_to_be_unknown(build):
    platform, other = build(), COURSE_KEY.replace(run="r2")
    for ask in (
        lambda: platform.course_info(other),
        lambda: platform.course_outline(LEARNER, other),
        lambda: platform.content(LEARNER, other.make_usage_key("html", "h1"), UNIT),
    ):
        with pytest.raises(ProcessorError, match="There is no such course"):
            ask()


CDATA = '<vertical><html url_name="x"><![CDATA[<p>a &amp; b</p>]]></html></vertical>'
FORMS = [
    pytest.param({"vertical/u1.xml": CDATA}, "html", "data", "<p>a &amp; b</p>", id="html written inline as CDATA"),
    pytest.param(
        {"vertical/u1.xml": '<vertical><html url_name="x"><p>a <b>b</b></p></html></vertical>'},
        "html",
        "data",
        "<p>a <b>b</b></p>",
        id="html written inline as elements",
    ),
    pytest.param(
        {"vertical/u1.xml": '<vertical><html filename="deep/er"/></vertical>', "html/deep/er.html": "Deep"},
        "html",
        "data",
        "Deep",
        id="html without a name in a folder below",
    ),
    pytest.param(
        {"vertical/u1.xml": '<vertical><html url_name="a:b"/></vertical>', "html/a/b.xml": "<html>C</html>"},
        "html",
        "data",
        "C",
        id="a name with a colon is a file in a folder",
    ),
    pytest.param(
        {"vertical/u1.xml": '<vertical><html url_name="a b">C</html></vertical>'},
        "html",
        "data",
        None,
        id="a name that no usage key can carry is left out",
    ),
    pytest.param(
        {"vertical/u1.xml": '<vertical><problem url_name="p" showanswer="always"><p>Why?</p></problem></vertical>'},
        "problem",
        "data",
        "<problem><p>Why?</p></problem>",
        id="a problem without its metadata",
    ),
    pytest.param(
        {"vertical/u1.xml": '<vertical><poll url_name="p" question="Red or blue?"/></vertical>'},
        "poll",
        "question",
        "Red or blue?",
        id="any block's attributes are fields",
    ),
    pytest.param(
        {"vertical/u1.xml": '<vertical><note url_name="p"><p>Hi</p></note></vertical>'},
        "note",
        "content",
        "<p>Hi</p>",
        id="any block's own HTML is its content",
    ),
    pytest.param(
        {"vertical/u1.xml": '<vertical><essay url_name="p"><prompt>Say why</prompt><rubric/></essay></vertical>'},
        "essay",
        "prompt",
        "Say why",
        id="any block's own elements are fields",
    ),
]


@pytest.mark.parametrize(("changes", "category", "field", "value"), FORMS)
def test_forms_of_olx(build, changes, category, field, value):
    (unit,) = build(changes).content(LEARNER, block_key("vertical/u1"), UNIT)
    assert [(child.category, child.fields[field]) for child in unit.children] == ([(category, value)] if value else [])


SRT = "1\n00:00:00,000 --> 00:00:02,000\n<i>One</i> &amp;\n\n2\n00:00:02,000 --> 00:00:04,000\ntwo\nthree\n"
SJSON = json.dumps({"start": [0], "end": [1], "text": ["Four", None, "five"]})
TRANSCRIPTS = [
    pytest.param(
        '<video><transcript language="en" src="a.srt"/></video>', {"a.srt": SRT}, "One & two three", id="an element"
    ),
    pytest.param(
        '<video transcripts="{&quot;en&quot;: &quot;a.srt&quot;}"/>',
        {"a.srt": SRT},
        "One & two three",
        id="an attribute",
    ),
    pytest.param(
        '<video transcripts="oops" sub="x"/>', {"subs_x.srt.sjson": SJSON}, "Four five", id="the old JSON form"
    ),
    pytest.param(
        '<video><transcript language="en" src="a.srt"/></video>', {"a.srt.sjson": SJSON}, "Four five", id="kept as JSON"
    ),
    pytest.param(
        '<video edx_video_id="v1"><video_asset><transcripts><transcript language_code="en" file_format="srt"/>'
        "</transcripts></video_asset></video>",
        {"v1-en.srt": SRT},
        "One & two three",
        id="an asset of the video service",
    ),
    pytest.param(
        '<video><transcript language="en" src="en.srt"/><transcript language="fr" src="fr.srt"/></video>',
        {"en.srt": SRT, "fr.srt": SRT.replace("One", "Un")},
        "Un & two three",
        id="the course's language comes first",
    ),
    pytest.param(
        '<video><transcript language="uk" src="uk.srt"/><transcript language="en" src="en.srt"/></video>',
        {"uk.srt": "", "en.srt": SRT},
        "One & two three",
        id="then English",
    ),
    pytest.param(
        '<video><transcript language="uk" src="uk.srt"/></video>', {"uk.srt": SRT}, "One & two three", id="then any"
    ),
    pytest.param(
        '<video><transcript language="en" src="../../a.srt"/></video>', {"a.srt": SRT}, None, id="never outside"
    ),
    pytest.param('<video sub="x"/>', {"subs_x.srt.sjson": "[" * 100_000}, None, id="hostile JSON is no transcript"),
    pytest.param('<video sub="x"/>', {"subs_x.srt.sjson": '{"text": 1}'}, None, id="odd JSON is no transcript"),
]


@pytest.mark.parametrize(("video", "files", "transcript"), TRANSCRIPTS)
def test_transcripts(build, video, files, transcript):
    platform = build(
        {
            "course/r1.xml": '<course language="fr"><chapter url_name="ch1"/></course>',
            "vertical/u1.xml": '<vertical><video url_name="v"/></vertical>',
            "video/v.xml": video,
            **{f"static/{name}": data for name, data in files.items()},
        }
    )
    (unit,) = platform.content(LEARNER, block_key("vertical/u1"), UNIT)
    assert unit.children[0].fields.get("transcript") == transcript


def test_units_need_not_be_verticals(build):
    platform = build({"sequential/s1.xml": '<sequential><html url_name="h1"/><vertical url_name="u2"/></sequential>'})
    assert units(platform, LEARNER, "html/h2", SEQUENCE) == ["h1", "u2"]


@pytest.mark.parametrize(
    ("pack", "name", "root"),
    [
        pytest.param(write_directory, "export", None, id="a directory that holds course.xml"),
        pytest.param(write_directory, "export", "course/", id="a directory that holds the export's folder"),
        pytest.param(write_tar, "c.tar.gz", "course/", id="an archive as Studio packs it"),
        pytest.param(write_tar, "c.tgz", "./any name/", id="another folder's name"),
        pytest.param(write_tar, "c.tar.gz", "", id="no folder at all"),
    ],
)
def test_where_course_xml_may_be(tmp_path, pack, name, root):
    files = {
        "course.xml": '<course url_name="course" org="Org" course="C1"/>',
        # A run of this name gives a second course.xml further down.
        "course/course.xml": '<course display_name="Here"/>',
    }
    if pack is write_tar:
        path = write_tar(files, tmp_path / name, root=root)
    else:
        path = write_directory({f"{root or ''}{file}": data for file, data in files.items()}, tmp_path / name)
    assert platform_for(path).course_info(COURSE_KEY.replace(run="course")).title == "Here"


def test_it_is_a_platform():
    platform: Platform = StandalonePlatform()
    assert platform.can_see_course(LEARNER, COURSE_KEY) is False
