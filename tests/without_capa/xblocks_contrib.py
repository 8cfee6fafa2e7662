"""In place of the platform's own blocks, in the processes that tests start: see ``tests.settings``."""

raise ImportError("tests leave it out")
