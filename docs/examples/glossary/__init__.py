"""A small extension: a workflow that defines terms from the unit on screen."""
