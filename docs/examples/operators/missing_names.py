from openedx_ai_extensions.edxapp.platform.imports import missing_names

for name in missing_names():
    print(name)
