"""Pages for the staff of a course, outside of the Django admin. They work without JavaScript.

Staff see the workflows of the course, turn them off and on, edit their prompts, try them, and see how much they are
used.
"""
