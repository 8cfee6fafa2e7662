"""Which paths may name a template: never one that leaves the template directories."""

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from openedx_ai_extensions.workflows.template_utils import (
    discover_templates,
    is_safe_template_path,
    load_template,
    template_problem,
)

CANARY = "the canary outside"


@pytest.fixture
def directory(tmp_path, settings):
    """A template directory with friends and traps inside, and a canary next to it."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    for folder in (outside, tmp_path):
        (folder / "canary.json5").write_text(f"{{canary: '{CANARY}'}}")
    (inside / "good.json5").write_text("{good: true}")
    (inside / "good.json").write_text('{"good": true}')
    (inside / "sub" / "deep.json5").write_text("{good: true}")
    (inside / "alias.json5").symlink_to(inside / "sub" / "deep.json5")
    (inside / "escape.json5").symlink_to(outside / "canary.json5")
    (inside / "away").symlink_to(outside, target_is_directory=True)
    (inside / "loop.json5").symlink_to(inside / "pool.json5")
    (inside / "pool.json5").symlink_to(inside / "loop.json5")
    settings.WORKFLOW_TEMPLATE_DIRS = [inside]
    return inside


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("good.json5", id="a file"),
        pytest.param("good.json", id="plain JSON"),
        pytest.param("sub/deep.json5", id="a file in a folder"),
        pytest.param("alias.json5", id="a symlink that stays inside"),
    ],
)
def test_templates_inside_load(directory, path):
    assert is_safe_template_path(path)
    assert load_template(path) == {"good": True}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("sub/not_yet.json5", id="no such file"),
        pytest.param("é" * 200 + ".json5", id="a name too long for the file system"),
    ],
)
def test_a_safe_path_need_not_exist(directory, path):
    assert is_safe_template_path(path)
    assert load_template(path) is None
    assert "No template directory has this file" in template_problem(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../canary.json5", id="up one"),
        pytest.param("sub/../../canary.json5", id="up from within"),
        pytest.param("sub/../good.json5", id="up and back in"),
        pytest.param("/etc/hosts.json5", id="absolute"),
        pytest.param("//good.json5", id="two slashes"),
        pytest.param("sub//deep.json5", id="an empty part"),
        pytest.param("./good.json5", id="a dot part"),
        pytest.param("..\\canary.json5", id="backslash up"),
        pytest.param("sub\\deep.json5", id="backslash"),
        pytest.param("good.json5\0.json5", id="NUL"),
        pytest.param("%2e%2e/canary.json5", id="percent-encoded dots"),
        pytest.param("..%2fcanary.json5", id="percent-encoded slash"),
        pytest.param("~/good.json5", id="home"),
        pytest.param("~root/good.json5", id="someone's home"),
        pytest.param("C:/good.json5", id="drive letter"),
        pytest.param("file:good.json5", id="scheme"),
        pytest.param("good\n.json5", id="newline"),
        pytest.param("good.json5\n", id="newline at the end"),
        pytest.param("", id="empty"),
        pytest.param(".", id="dot"),
        pytest.param("..", id="dots"),
        pytest.param("sub", id="a folder"),
        pytest.param("good.yaml", id="wrong suffix"),
        pytest.param("good.json5.bak", id="suffix in the middle"),
        pytest.param("good.JSON5", id="suffix in capitals"),
        pytest.param("escape.json5", id="symlink to a file outside"),
        pytest.param("away/canary.json5", id="symlinked directory outside"),
        pytest.param("loop.json5", id="symlink loop"),
        pytest.param(None, id="None"),
        pytest.param(b"good.json5", id="bytes"),
    ],
)
def test_all_else_is_refused(directory, path):
    assert not is_safe_template_path(path)
    assert load_template(path) is None
    assert "not a path to a template inside" in template_problem(path)


def test_the_list_of_templates_leaves_traps_out(directory):
    names = [name for name, _label in discover_templates()]
    assert names == ["alias.json5", "good.json", "good.json5", "sub/deep.json5"]


PARTS = st.sampled_from(
    ["..", ".", "", "~", "sub", "away", "inside", "outside", "canary", "canary.json5", "escape.json5", "good.json5",
     "loop.json5", "%2e%2e", "..\\", "C:", "\0"]
) | st.text(max_size=4)  # fmt: skip


@given(parts=st.lists(PARTS, max_size=6), absolute=st.booleans(), suffix=st.sampled_from(["", ".json5", ".json"]))
@example(parts=["..", "canary"], absolute=False, suffix=".json5")
@example(parts=["away", "canary"], absolute=False, suffix=".json5")
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=300
)
def test_no_path_reaches_a_file_outside(directory, parts, absolute, suffix):
    relative = "/".join(parts) + suffix
    path = f"{directory.parent}/{relative}" if absolute else relative
    assert load_template(path) in (None, {"good": True})
