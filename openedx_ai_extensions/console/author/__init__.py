"""Pages for the staff of a course, who need not know the Django admin.

What runs in the course and what is off, a switch for each workflow, its prompt, a place to try it, and how much it is
used. They work without scripts.
"""
