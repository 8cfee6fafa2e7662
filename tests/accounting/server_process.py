"""Another server process of a site. Run as ``python server_process.py SETTINGS``, with the settings to change as JSON;
prints its port.
"""

import json
import os
import sys

import django
from django.conf import settings

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    for name, value in json.loads(sys.argv[1]).items():
        setattr(settings, name, value)
    django.setup()

    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    from openedx_ai_extensions.demo.server import HOST

    with ThreadedWSGIServer((HOST, 0), WSGIRequestHandler) as server:
        server.set_app(get_wsgi_application())
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()
