from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.edxapp.platform import imports

for name in vars(imports).values():
    if isinstance(name, imports.PlatformName):
        try:
            imports.load(name)
        except ImproperlyConfigured as error:
            print(error)
