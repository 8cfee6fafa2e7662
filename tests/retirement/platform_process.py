"""A service of the platform: it connects what plugins ask for, and retires a person.

Run as ``python platform_process.py SETTINGS VARIANT USER_ID``, the settings to change as JSON. Writes, as JSON, what
the receivers of each signal returned.
"""

import json
import os
import sys
from pathlib import Path

import django
from django.conf import settings

if __name__ == "__main__":
    changed, variant, user_id = sys.argv[1:]
    sys.path.append(str(Path(__file__).with_name("platform")))
    os.environ["SERVICE_VARIANT"] = variant
    for name, value in json.loads(changed).items():
        setattr(settings, name, value)
    django.setup()

    from django.contrib.auth import get_user_model
    from edx_django_utils.plugins import connect_plugin_receivers
    from openedx.core.djangoapps.user_api.accounts import signals

    connect_plugin_receivers(f"{variant}.djangoapp")
    connect_plugin_receivers(f"{variant}.djangoapp")  # as some sites do; it must not delete twice
    user = get_user_model().objects.get(pk=user_id)
    found = {
        name: [str(answer) for _receiver, answer in getattr(signals, name).send(sender=object, user=user)]
        for name in ("USER_RETIRE_MAILINGS", "USER_RETIRE_LMS_MISC", "USER_RETIRE_LMS_CRITICAL")
    }
    sys.stdout.write(json.dumps(found))
