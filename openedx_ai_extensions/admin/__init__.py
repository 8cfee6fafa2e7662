"""The Django admin, a module or folder for each subject."""
