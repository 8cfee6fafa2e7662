"""What libraries write to standard error goes to a server's log: it holds none of a learner's words."""

from __future__ import annotations

import subprocess
import sys

from tests.settings import REPO


def test_answers_of_odd_types_leave_nothing_there():
    """In a process of its own: pytest collects the warnings of this one."""
    process = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.attacks.odd_answers_process"],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert process.stdout.split().count("200") >= 3
    assert process.stderr == ""
