"""AI workflows for Open edX courses, as a plugin for the LMS and Studio."""

__version__ = "0.1.0"
