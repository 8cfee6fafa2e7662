"""What Tutor renders with the plugin."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from conftest import CONFIGURED, KEY, PROVIDERS, Site

LMS = "apps/openedx/settings/lms/{}.py"
CMS = "apps/openedx/settings/cms/{}.py"
COMPOSE = "local/docker-compose.yml"
SERVICE = "openedx_ai_extensions.streaming_service:application"


def ours(site: Site, path: str) -> dict:
    """Our settings in a file of settings: the file as Python, of which only what names them is run."""
    tree = ast.parse(site.read(path))
    wanted = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and str(getattr(node.targets[0], "id", "")).startswith("AI_EXTENSIONS")
    ]
    settings: dict = {"json": json}
    exec(compile(ast.Module(wanted, []), path, "exec"), settings)
    return {name: value for name, value in settings.items() if name.startswith("AI_EXTENSIONS")}


@pytest.mark.parametrize("settings", ["production", "development"])
def test_the_settings_of_each_service_are_those_given(site, settings):
    both = CONFIGURED["AI_EXTENSIONS_SETTINGS"]
    assert ours(site, LMS.format(settings)) == {
        "AI_EXTENSIONS": PROVIDERS, **both, **CONFIGURED["AI_EXTENSIONS_LMS_SETTINGS"],
        "AI_EXTENSIONS_COSTS": {"CURRENCY": "CHF", "LEDGER_DAYS": 100}, "AI_EXTENSIONS_PRELOAD": False,
    }  # fmt: skip
    assert ours(site, CMS.format(settings)) == {
        "AI_EXTENSIONS": PROVIDERS, **both, **CONFIGURED["AI_EXTENSIONS_CMS_SETTINGS"]
    }  # fmt: skip


def test_what_was_not_given_is_not_set(plain):
    assert ours(plain, LMS.format("production")) == {
        "AI_EXTENSIONS_PRELOAD": False
    }  # the streaming service loads LiteLLM
    assert ours(plain, CMS.format("production")) == {}


def test_a_setting_of_something_else_is_refused_without_its_value(tmp_path):
    said = Site(tmp_path, ["ai-extensions"], AI_EXTENSIONS_SETTINGS={"SECRET_KEY": KEY}).said
    assert "Not a setting of openedx-ai-extensions: SECRET_KEY." in said
    assert KEY not in said


def test_a_key_is_in_the_settings_and_nowhere_else(site):
    holding = {
        path.relative_to(site.root / "env").as_posix()
        for path in (site.root / "env").rglob("*")
        if path.is_file() and KEY.encode() in path.read_bytes()
    }
    names = ("production", "development", "test")
    assert holding <= {pattern.format(name) for pattern in (LMS, CMS) for name in names}
    assert KEY not in site.said


def installations(site: Site) -> list[str]:
    """The commands of the image that install the package."""
    dockerfile = site.read("build/openedx/Dockerfile").replace("\\\n", " ")
    return [line for line in dockerfile.splitlines() if line.startswith("RUN") and "install --constraint" in line]


def test_the_image_has_the_package_beside_what_the_platform_pins(site, plain, tmp_path):
    freeze, asked = tmp_path / "freeze", tmp_path / "asked"
    freeze.write_text("Django==4.2.24\nopenai==0.28.1\nopenai-other==1.0\nXBlock @ file:///xblock\n-e /openedx\n")
    pip = tmp_path / "pip"
    pip.write_text(
        f'#!/bin/sh\nif [ $1 = freeze ]; then cat {freeze}; exit; fi\n'
        f'cat "$3" >> {asked}; shift 3; echo "$*" >> {asked}\n'
    )  # fmt: skip
    pip.chmod(0o755)
    for_production, for_development = installations(site)
    assert for_production == for_development
    command = re.sub(r"^RUN --mount=\S+\s+", "", for_production).replace("/tmp/", f"{tmp_path}/")
    subprocess.run(["sh", "-c", command], env={**os.environ, "PIP_COMMAND": str(pip)}, check=True)
    assert asked.read_text().splitlines() == [
        "Django==4.2.24", "openai-other==1.0", CONFIGURED["AI_EXTENSIONS_REQUIREMENT"]
    ]  # fmt: skip
    assert installations(plain) == []


def test_a_mounted_clone_is_installed(plain):
    assert "mnt-openedx-ai-extensions" in plain.read("build/openedx/Dockerfile")
    (compose,) = plain.yaml(COMPOSE)
    mount = f"{plain.root.parent / 'openedx-ai-extensions'}:/mnt/openedx-ai-extensions:z"
    assert mount in compose["services"]["lms"]["volumes"]
    assert mount in compose["services"]["ai-streams"]["volumes"]


@pytest.mark.parametrize(
    ("arguments", "services"), [(["-k", "content or children"], ["lms", "cms"]), (["--service", "cms"], ["cms"])]
)
def test_the_tests_of_the_platform_are_one_command(plain, tmp_path, arguments, services):
    """Down to what the containers run: in Docker's place there is a script that writes down what it is asked for."""
    docker, asked = tmp_path / "docker", tmp_path / "asked"
    # And it answers what is running: nothing.
    docker.write_text(
        f'#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv), file=open("{asked}", "a"))\nprint("[]")\n'
    )
    docker.chmod(0o755)
    plain.tutor("dev", "do", "ai-extensions-tests", "-x", *arguments, PATH=f"{tmp_path}:{os.environ['PATH']}")
    runs = [json.loads(line) for line in asked.read_text().splitlines() if '"run"' in line]
    assert len(runs) == len(services)
    tests = "/mnt/openedx-ai-extensions/tests/platform"
    ours = ["-x", *arguments] if "-k" in arguments else ["-x"]
    for run, service in zip(runs, services, strict=True):
        *_docker, container, shell, _stop_at_errors, _command, script = run
        assert (container, shell) == (f"{service}-job", "sh")
        variant, settings, *command = shlex.split(script)
        assert variant == f"SERVICE_VARIANT={service}"
        assert settings == f"DJANGO_SETTINGS_MODULE={service}.envs.test"
        assert command == ["python", "-m", "pytest", "--no-migrations", f"--confcutdir={tests}", tests, *ours]


def test_the_streaming_service_is_the_lms_under_another_server(site):
    (compose,) = site.yaml(COMPOSE)
    lms, streams = compose["services"]["lms"], compose["services"]["ai-streams"]
    assert streams["image"] == lms["image"]
    assert SERVICE in streams["command"]
    assert "--workers 3" in streams["command"]
    assert "\n" not in streams["command"].strip()
    for name in ("SERVICE_VARIANT", "DJANGO_SETTINGS_MODULE"):
        assert streams["environment"][name] == lms["environment"][name]
    assert set(streams["volumes"]) == {volume for volume in lms["volumes"] if "uwsgi.ini" not in volume}


def test_developers_have_it_on_a_port(site):
    (compose,) = site.yaml("dev/docker-compose.yml")
    streams = compose["services"]["ai-streams"]
    assert streams["environment"]["DJANGO_SETTINGS_MODULE"] == "lms.envs.tutor.development"
    assert streams["image"] == compose["services"]["lms"]["image"]
    assert streams["ports"] == ["8010:8000"]


def test_kubernetes_has_a_deployment_and_a_service(site):
    deployments = {document["metadata"]["name"]: document.get("spec") for document in site.yaml("k8s/deployments.yml")}
    streams, lms = deployments["ai-streams"], deployments["lms"]
    assert streams["replicas"] == 2
    (container,), (of_lms,) = (spec["template"]["spec"]["containers"] for spec in (streams, lms))
    assert container["image"] == of_lms["image"]
    assert SERVICE in container["args"]
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    assert variables["DJANGO_SETTINGS_MODULE"] == "lms.envs.tutor.production"
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts.items() <= {mount["name"]: mount["mountPath"] for mount in of_lms["volumeMounts"]}.items()
    services = {document["metadata"]["name"]: document["spec"] for document in site.yaml("k8s/services.yml")}
    assert services["ai-streams"]["selector"] == {"app.kubernetes.io/name": "ai-streams"}
    assert services["ai-streams"]["ports"][0]["port"] == container["ports"][0]["containerPort"]


def test_the_proxy_sends_it_the_streams_and_nothing_else(site):
    caddyfile = site.read("apps/caddy/Caddyfile")
    assert caddyfile.count("{") == caddyfile.count("}")
    assert len(re.findall(r"reverse_proxy ai-streams:8000", caddyfile)) == 1
    lms = caddyfile[caddyfile.index("lms.example.com{") : caddyfile.index("studio.example.com{")]
    matcher = re.search(r"@ai_extensions_streams \{\s*(.*?)\s*\}", lms, re.DOTALL)[1]
    assert [line.split() for line in matcher.splitlines()] == [
        ["method", "POST"],
        ["path", "/openedx-ai-extensions/v1/workflows/"],
    ]
    handled = lms[lms.index("handle @ai_extensions_streams") :]
    assert handled.index("reverse_proxy ai-streams:8000") < handled.index("flush_interval -1")
    assert 'import proxy "lms:8000"' in lms


def test_without_the_streaming_service_there_is_no_trace_of_it(tmp_path):
    site = Site(tmp_path, ["ai-extensions"], AI_EXTENSIONS_STREAMING=False)
    for path in (COMPOSE, "apps/caddy/Caddyfile", "k8s/deployments.yml", "k8s/services.yml"):
        rendered = site.read(path)
        assert "ai-streams" not in rendered
        assert "ai_extensions" not in rendered
