"""The catalogues: complete, faithful to the source texts, compiled, and used."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import json5
import polib
import pytest
from django.utils import translation
from django.utils.translation import gettext
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.widget_texts import template_texts
from tests.admin.pages import Admin
from tests.api.conftest import Api
from tests.author.conftest import Pages
from tests.conftest import COURSE_ID
from tests.settings import REPO

pytestmark = pytest.mark.once
PACKAGE = REPO / "openedx_ai_extensions"
LOCALES = PACKAGE / "conf" / "locale"
LANGUAGES = ("es", "ar")
PLURALS = {"es": ("one", "other"), "ar": ("zero", "one", "two", "few", "many", "other")}
# What a translation takes over as it is: names to be filled in, percent signs, tags.
FIXED = re.compile(r"\{\w*\}|%\(\w+\)[a-z]|%%|</?[a-z][^>]*>")
MARKERS = {
    "django.utils.translation": {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext",
                                 "pgettext_lazy"},
    "openedx_ai_extensions.core.messages": {"Message"},  # as "_", or xgettext would not find it
}  # fmt: skip


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(LOCALES / language / "LC_MESSAGES" / "django.po"))


def fixed(text: str) -> list[str]:
    return sorted(FIXED.findall(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_a_translation(language):
    po = catalogue(language)
    assert not po.metadata_is_fuzzy
    assert (po.metadata["Project-Id-Version"], po.metadata["Language"]) == ("openedx-ai-extensions", language)
    texts = {(entry.msgctxt, entry.msgid) for entry in po}
    assert {(entry.msgctxt, entry.msgid) for entry in catalogue("en")} - texts == set()
    assert [entry.msgid for entry in [*po.fuzzy_entries(), *po.untranslated_entries(), *po.obsolete_entries()]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_what_is_filled_in(language):
    for entry in catalogue(language):
        if not entry.msgid_plural:
            assert fixed(entry.msgstr) == fixed(entry.msgid), entry.msgid
            continue
        forms = entry.msgstr_plural
        assert len(forms) == len(PLURALS[language]), entry.msgid
        # "One" and "two" may be words: only the form for any number has to show it.
        assert fixed(forms[len(forms) - 1]) == fixed(entry.msgid_plural), entry.msgid
        assert all(set(fixed(form)) <= set(fixed(entry.msgid_plural)) for form in forms.values()), entry.msgid


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_what_is_compiled_is_what_is_written(language):
    """Else: make compile_translations."""
    compiled = polib.mofile(str(LOCALES / language / "LC_MESSAGES" / "django.mo"))
    written = catalogue(language).translated_entries()
    assert {(entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural) for entry in compiled} == {
        (entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural) for entry in written
    }


def marked(path: Path) -> Iterator[str]:
    """What a module hands to gettext, under whatever name it has imported it."""
    tree = ast.parse(path.read_text("utf-8"))
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    translators = {
        name.asname or name.name: name.name
        for node in imports
        if node.module in MARKERS
        for name in node.names
        if name.name in MARKERS[node.module] and (name.name != "Message" or name.asname == "_")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in translators:
            text = node.args[1 if translators[node.func.id].startswith("p") else 0]  # pgettext begins with a context
            assert isinstance(text, ast.Constant), f"{path}:{node.lineno}: no text to extract"
            yield text.value


def test_every_text_in_the_code_can_be_extracted():
    """xgettext finds neither a call under a name of our own nor one inside of an f-string."""
    known = {entry.msgid for entry in catalogue("en")}
    modules = [path for path in PACKAGE.rglob("*.py") if "demo" not in path.relative_to(PACKAGE).parts]
    assert {text for path in modules for text in marked(path)} - known == set()


def texts_of(template: dict) -> Iterator[str]:
    for component in template["actuator_config"]["UIComponents"].values():
        for value in component["config"].values():
            yield from (text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))


def test_every_text_of_a_template_is_marked_for_translation():
    """Else: add it to, or remove it from, the list in workflows/widget_texts.py."""
    folders = (PACKAGE / "workflows" / "profiles", REPO / "templates")
    files = [path for folder in folders for path in folder.rglob("*.json5")]
    assert {text for path in files for text in texts_of(json5.loads(path.read_text("utf-8")))} == set(template_texts())


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
def test_the_catalogues_are_up_to_date(tmp_path):
    """Else: make extract_translations."""
    copy = tmp_path / PACKAGE.name
    for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html"), *LOCALES.rglob("en/**/*.po")]:
        target = copy / path.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    options = ["-l", "en", "--ignore", "demo/*", "--add-location", "file", "--no-wrap"]
    command = [sys.executable, "-m", "django", "makemessages", *options]
    # Without the settings of the tests, which are not importable from there.
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
    extracted = polib.pofile(str(copy / "conf/locale/en/LC_MESSAGES/django.po"))
    now = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in extracted if not entry.obsolete}
    assert now == {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in catalogue("en")}


def leaves(texts: dict, above: str = "") -> Iterator[tuple[str, str | dict]]:
    """The texts of a widget's catalogue by their dotted ids; one that depends on a number is an object of its forms."""
    for name, text in texts.items():
        if isinstance(text, dict) and "other" in text and set(text) <= set(PLURALS["ar"]):
            yield f"{above}{name}", text
        elif isinstance(text, dict):
            yield from leaves(text, f"{above}{name}.")
        else:
            yield f"{above}{name}", text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_widget_says_all_of_it(language):
    english: dict = {}
    for path in (REPO / "widget" / "src").glob("en*.js"):
        source = path.read_text("utf-8")
        english |= leaves(json5.loads(source[source.index("{") : source.rindex("}") + 1]))
    file = PACKAGE / "static" / PACKAGE.name / f"widget-{language}.json"
    translated = dict(leaves(json5.loads(file.read_text("utf-8"))))
    assert translated.keys() == english.keys()
    for name, text in english.items():
        if isinstance(text, str):
            assert fixed(translated[name]) == fixed(text), name
        else:
            assert set(PLURALS[language]) <= set(translated[name]), name
            assert fixed(translated[name]["other"]) == fixed(text["other"]), name


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("[1]", "La solicitud no es un objeto JSON.", id="not an object"),
        pytest.param("{}", "Se requiere action, como texto.", id="no action"),
        pytest.param('{"action": "dance"}', "Este flujo de trabajo no tiene tal acción.", id="unknown action"),
    ],
)
def test_errors_come_in_the_language_of_the_reader(learner, make_scope, body, message):
    make_scope(base_filepath="examples/mock.json5")
    response = Api(learner, headers={"Accept-Language": "es-419,es;q=0.9,en;q=0.5"}).post(body)
    assert response.json()["error"]["message"] == message


@pytest.mark.parametrize("language", ["es-419", "es-es"])
def test_the_spanish_of_the_platform_is_ours(language):
    with translation.override(language):
        assert AIWorkflowProfile._meta.verbose_name == "perfil de flujo de trabajo de IA"
        assert (
            gettext("The answer was interrupted. Please try again.")
            == "La respuesta se interrumpió. Inténtalo de nuevo."
        )


def in_language(page, language: str, *words: str) -> None:
    """A page says so itself, for screen readers, and has these texts."""
    (root,) = page.find("/html")
    assert (root.get("lang"), root.get("dir")) == (language, "rtl" if language == "ar" else "ltr")
    assert [text for text in words if text not in page.text] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", ("Flujos de trabajo de IA en este curso", "Encendido", "En todo el curso.")), ("ar", ())],
)
def test_author_pages(author, make_scope, language, words):
    make_scope()
    pages = Pages(author, CourseKey.from_string(COURSE_ID), headers={"Accept-Language": language})
    in_language(pages.get(), language, *words)


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", ("Límites de IA", "Cuánto", "Restricciones", "personal del curso y del sitio")), ("ar", ())],
)
def test_admin_pages(admin_user, language, words):
    admin = Admin(admin_user)
    admin.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    in_language(admin.get("ailimit", "add"), language, *words)
