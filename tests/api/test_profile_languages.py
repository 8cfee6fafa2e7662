"""GET profile/: the texts of a widget come in the language of the person who reads them."""

import pytest

from openedx_ai_extensions.models import AIWorkflowProfile
from tests.api.conftest import Api

SPANISH, ARABIC = "es-419,es;q=0.9,en;q=0.5", "ar"


def texts(user, language):
    """The texts of the request component and of the response component."""
    body = Api(user, headers={"Accept-Language": language}).profile().json()
    return tuple(body["ui_components"][half]["config"] for half in ("request", "response"))


def worded(**config):
    return {"actuator_config": {"UIComponents": {"request": {"config": config}}}}


@pytest.mark.parametrize(
    ("language", "button", "message", "heading"),
    [
        pytest.param("en", "AI summary", "Get the main ideas of this unit", "Summary", id="English"),
        pytest.param(SPANISH, "Resumen con IA", "Obtén las ideas principales de esta unidad", "Resumen", id="Spanish"),
        pytest.param(ARABIC, "ملخص بالذكاء الاصطناعي", "الأفكار الرئيسية لهذه الوحدة", "الملخص", id="Arabic"),
        pytest.param("de", "AI summary", "Get the main ideas of this unit", "Summary", id="not translated"),
    ],
)
def test_texts_of_a_template_are_translated(learner, make_scope, language, button, message, heading):
    make_scope()
    request, response = texts(learner, language)
    assert request == {"buttonText": button, "customMessage": message}
    assert response["customMessage"] == heading


def test_what_a_profile_changed_stays_as_its_author_wrote_it(learner, make_scope):
    # "Ask the tutor" is a text of another template.
    make_scope(patch=worded(buttonText="Ask the tutor", titleText="Summary"))
    request, _response = texts(learner, SPANISH)
    assert request == {
        "buttonText": "Ask the tutor",
        "titleText": "Summary",
        "customMessage": "Obtén las ideas principales de esta unidad",
    }


def test_a_profile_that_repeats_the_text_of_its_template_has_not_changed_it(learner, make_scope):
    make_scope(patch=worded(buttonText="AI summary"))
    assert texts(learner, SPANISH)[0]["buttonText"] == "Resumen con IA"


def test_texts_of_a_sites_own_template_are_the_sites(learner, make_scope, settings, tmp_path):
    own = """{
      schema_version: "1.0", orchestrator_class: "MockResponse", processor_config: { OpenEdXProcessor: {} },
      actuator_config: { UIComponents: {
        request: { component: "AIRequestComponent", config: { buttonText: "Yes", customMessage: "Summary" } },
        response: { component: "AIResponseComponent" },
      } },
    }"""
    (tmp_path / "own.json5").write_text(own)
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    make_scope(base_filepath="own.json5")
    body = Api(learner, headers={"Accept-Language": SPANISH}).profile().json()
    # Django translates "Yes". A text that ships may be in a copy of our template.
    assert body["ui_components"]["request"]["config"] == {"buttonText": "Yes", "customMessage": "Resumen"}


def test_each_language_stays_itself_when_they_alternate(learner, make_scope):
    make_scope()
    seen = [texts(learner, language)[1]["customMessage"] for language in ("en", "es", "ar") * 2]
    assert seen == ["Summary", "Resumen", "الملخص"] * 2


def test_a_change_shows_in_every_language(learner, make_scope):
    make_scope()
    assert texts(learner, SPANISH)[0]["buttonText"] == "Resumen con IA"
    profile = AIWorkflowProfile.objects.get()
    profile.content_patch = '{actuator_config: {UIComponents: {request: {config: {buttonText: "Mío"}}}}}'
    profile.save()
    assert texts(learner, SPANISH)[0]["buttonText"] == "Mío"


GO = {"en": "Go", "es": "Ir", "es-MX": "Vamos"}


@pytest.mark.parametrize(
    ("own", "language", "shown"),
    [
        pytest.param(GO, "es", "Ir", id="its own language"),
        pytest.param(GO, "es-mx", "Vamos", id="its own country"),
        pytest.param(GO, "es-ar", "Ir", id="another country"),
        pytest.param(GO, ARABIC, "Go", id="English for others"),
        pytest.param({"es_419": "Ir", "en": "Go"}, "es-419", "Ir", id="written with an underscore"),
        pytest.param({"en": "Go", "es-MX": "Vamos"}, "es", "Vamos", id="the same language of some country"),
        pytest.param({"fr": "Aller", "de": "Los"}, ARABIC, "Aller", id="the first without English"),
        pytest.param({"es": "Ir"}, "en", "Ir", id="the only one"),
        pytest.param({"en": "Summary", "fr": "Aller"}, "es", "Summary", id="never translated"),
    ],
)
def test_an_author_writes_in_several_languages(learner, make_scope, settings, own, language, shown):
    settings.LANGUAGES = [*settings.LANGUAGES, ("es-419", "Latin American Spanish")]
    make_scope(patch=worded(buttonText=own))
    assert texts(learner, language)[0]["buttonText"] == shown


def test_a_patch_changes_one_language_of_a_template(learner, make_scope, settings, tmp_path):
    own = """{
      schema_version: "1.0", orchestrator_class: "MockResponse", processor_config: { OpenEdXProcessor: {} },
      actuator_config: { UIComponents: {
        request: { component: "AIRequestComponent", config: {
          buttonText: { en: "Go", es: "Ir" }, customMessage: { en: "Why", es: "Por qué" }, titleText: { en: "Who" },
        } },
        response: { component: "AIResponseComponent", config: {} },
      } },
    }"""
    (tmp_path / "own.json5").write_text(own)
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    patch = worded(buttonText={"es": "Vamos"}, customMessage={"es": None}, titleText="Quién")
    make_scope(base_filepath="own.json5", patch=patch)
    spanish, english = (texts(learner, language)[0] for language in ("es", "en"))
    assert spanish == {"buttonText": "Vamos", "customMessage": "Why", "titleText": "Quién"}
    assert english == {"buttonText": "Go", "customMessage": "Why", "titleText": "Quién"}


def test_texts_of_extensions(learner, make_scope):
    kept = {"id": {"id": "x"}, "size": {"min": "1", "max": "2"}, "map": {"en": 1, "es": 2}, "none": {}}
    translated = {"en": "Help", "es": "Ayuda"}
    make_scope(patch=worded(help=translated, parts=[{"title": translated}], **kept))
    request = texts(learner, "es")[0]
    assert (request["help"], request["parts"]) == ("Ayuda", [{"title": "Ayuda"}])
    assert {name: request[name] for name in kept} == kept


def test_a_language_that_does_not_exist_is_a_warning(make_scope):
    scope = make_scope(base_filepath="examples/mock.json5", patch=worded(buttonText={"en": "Go", "sp": "Ir"}))
    (problem,) = scope.profile.problems()
    assert problem.path == "$.actuator_config.UIComponents.request.config.buttonText.sp"
    assert "There is no language with the code “sp”" in problem.text
    assert problem.severity == "warning"
