"""A small site on this machine to try the plugin: one course, four people, and the best model that is available."""
