"""A small site on this machine to try the plugin: one course, three people, and the best model that is at hand."""
