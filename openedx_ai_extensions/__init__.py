"""AI workflows for Open edX courses, as a plugin for the LMS and Studio."""

__version__ = "1.0.0.dev0"
