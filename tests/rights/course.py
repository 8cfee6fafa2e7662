"""Two small courses with one of everything that not everybody may see, for both backends."""

from __future__ import annotations

from pathlib import Path

from opaque_keys.edx.keys import CourseKey, UsageKey

from tests.edxapp.exports import write_directory

MAIN = CourseKey.from_string("course-v1:Rights+Main+r1")
OTHER = CourseKey.from_string("course-v1:Rights+Other+r1")
COHORT, OTHER_COHORT = 1, 2

UNRELEASED, STAFF_ONLY, COHORTS, ANSWER, ELSEWHERE = (
    "secret-unreleased", "secret-staff", "secret-cohort", "secret-answer", "secret-elsewhere"
)  # fmt: skip
OPEN, QUESTION = "open-words", "open-question"
COHORT_ACCESS = f"{{&quot;50&quot;: [{COHORT}]}}"


def key(name: str, course: CourseKey = MAIN) -> UsageKey:
    """``vertical/open`` as a usage key."""
    category, _, block_id = name.partition("/")
    return course.make_usage_key(category, block_id)


def _html(name: str, words: str, attributes: str = "") -> dict[str, str]:
    return {
        f"html/{name}.xml": f'<html filename="{name}" display_name="{words} title" {attributes}/>',
        f"html/{name}.html": f"<p>{words}</p>",
    }


def _course(name: str, files: dict[str, str]) -> dict[str, str]:
    return {
        "course.xml": f'<course url_name="r1" org="Rights" course="{name}"/>',
        "policies/r1/policy.json": f'{{"course/r1": {{"display_name": "{name}", "start": "2020-01-01T00:00:00Z"}}}}',
        "about/short_description.html": f"About {name}",
        **files,
    }


# The secrets lie between the first unit and the last, so that whoever reads up to the last passes them all.
MAIN_FILES = _course(
    "Main",
    {
        "course/r1.xml": '<course><chapter url_name="all"/></course>',
        "chapter/all.xml": """<chapter display_name="All"><sequential url_name="first"/><sequential url_name="later"/>
            <sequential url_name="last"/></chapter>""",
        "sequential/first.xml": """<sequential display_name="First"><vertical url_name="open"/>
            <vertical url_name="staff"/><vertical url_name="mixed"/></sequential>""",
        "sequential/later.xml": f"""<sequential display_name="{UNRELEASED} section" start="2999-01-01T00:00:00Z">
            <vertical url_name="later"/></sequential>""",
        "sequential/last.xml": '<sequential display_name="Last"><vertical url_name="last"/></sequential>',
        "vertical/open.xml": '<vertical display_name="Open"><html url_name="open"/></vertical>',
        "vertical/staff.xml": f"""<vertical display_name="{STAFF_ONLY} unit" visible_to_staff_only="true">
            <html url_name="staff"/></vertical>""",
        "vertical/mixed.xml": """<vertical display_name="Mixed"><html url_name="cohort"/><problem url_name="problem"/>
            </vertical>""",
        "vertical/later.xml": f'<vertical display_name="{UNRELEASED} unit"><html url_name="later"/></vertical>',
        "vertical/last.xml": '<vertical display_name="Last"><html url_name="last"/></vertical>',
        **_html("open", OPEN),
        **_html("staff", STAFF_ONLY),
        **_html("cohort", COHORTS, f'group_access="{COHORT_ACCESS}"'),
        **_html("later", UNRELEASED),
        **_html("last", OPEN),
        "problem/problem.xml": f"""<problem showanswer="past_due" due="2999-01-01T00:00:00Z"><stringresponse
            answer="{ANSWER}"><label>{QUESTION}</label><textline/>
            <stringequalhint answer="no">{ANSWER}</stringequalhint><solution><p>{ANSWER}</p></solution>
            </stringresponse><demandhint><hint>{ANSWER}</hint></demandhint></problem>""",
    },
)
OTHER_FILES = _course(
    "Other",
    {
        "course/r1.xml": '<course><chapter url_name="all"/></course>',
        "chapter/all.xml": f'<chapter display_name="{ELSEWHERE}"><sequential url_name="first"/></chapter>',
        "sequential/first.xml": f'<sequential display_name="{ELSEWHERE}"><vertical url_name="open"/></sequential>',
        "vertical/open.xml": f'<vertical display_name="{ELSEWHERE}"><html url_name="open"/></vertical>',
        **_html("open", ELSEWHERE),
    },
)


def write_courses(folder: Path) -> tuple[Path, Path]:
    """The folders of the main course and of the other."""
    return write_directory(MAIN_FILES, folder / "main"), write_directory(OTHER_FILES, folder / "other")
