"""``python -m openedx_ai_extensions.demo``: serve the demo site, or ask from the command line."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import django

from openedx_ai_extensions.demo import model_server, scripted_model
from openedx_ai_extensions.demo.providers import choose, local_model_is_installed
from openedx_ai_extensions.exceptions import ProcessorError


def main() -> int:
    """Run the command line; returns the exit code."""
    arguments = _parser().parse_args()
    # Both signals end the demo and its model server properly. A process that a script starts in the background ignores
    # SIGINT, unless it sets a handler.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    run = _ask if arguments.command == "ask" else _serve
    if arguments.course:
        os.environ["AI_EXTENSIONS_DEMO_COURSE"] = arguments.course
    try:
        with scripted_model.running() as url:
            os.environ["AI_EXTENSIONS_DEMO_SCRIPT_URL"] = url
            with _model(is_wanted=arguments.local_model) as note:
                return run(arguments, note)
    except (ProcessorError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m openedx_ai_extensions.demo", description=__doc__)
    parser.add_argument("--course", help="an export from Studio, .tar.gz or its directory, instead of the demo course")
    parser.add_argument("--local-model", action="store_true", help="without a key, start the small model")
    parser.add_argument("--port", type=int, default=8000, help="the port; if it is in use, the next free one")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve the site (the default)")
    ask = commands.add_parser("ask", help="ask one question, and print the answer while it arrives")
    ask.add_argument("question", nargs="?", default="", help="your text; some workflows need none")
    ask.add_argument("--as", dest="person", default="learner", help="learner, author, admin or stranger")
    ask.add_argument("--slot", default="unit-ask", help="the widget slot, such as unit-summary")
    ask.add_argument("--unit", help="the id of a unit; the default is the first unit")
    ask.add_argument("--action", default="run")
    return parser


@contextlib.contextmanager
def _model(*, is_wanted: bool) -> Iterator[str]:
    """Start the local model if it is wanted and no other is configured; yields a note about the model that answers."""
    choice = choose(os.environ)
    if not (is_wanted and choice.is_scripted):
        yield choice.note
        return
    if not local_model_is_installed():
        print("The small local model is not installed: make demo MODEL=local does that.", file=sys.stderr)
        yield choice.note
        return
    print("Starting the small local model …", file=sys.stderr)
    with model_server.running() as url:
        if url is None:
            print("It did not start; answers are scripted.", file=sys.stderr)
        else:
            os.environ["AI_EXTENSIONS_DEMO_MODEL_URL"] = url
        yield choose(os.environ).note


def _set_up() -> None:
    """Set Django up, and create the demo's data."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openedx_ai_extensions.demo.settings")
    # Event routing logs a traceback outside of the platform, before any logging is configured.
    logging.getLogger("event_routing_backends").setLevel(logging.CRITICAL)
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from openedx_ai_extensions.demo.seed import seed

    seed(small_model=choose(os.environ).is_local)


def _serve(arguments: argparse.Namespace, note: str) -> int:
    from django.core.wsgi import get_wsgi_application

    from openedx_ai_extensions.demo.server import HOST, bind, start_worker

    with bind(arguments.port) as server:
        address = f"http://{HOST}:{server.server_port}"
        os.environ["AI_EXTENSIONS_DEMO_URL"] = address
        _set_up()
        from openedx_ai_extensions.demo import settings
        from openedx_ai_extensions.demo.courses import unpack_pictures
        from openedx_ai_extensions.processors.llm.provider import library

        unpack_pictures(settings.COURSE, settings.PICTURES)
        threading.Thread(target=library.warm_up, daemon=True).start()
        start_worker()
        server.set_app(get_wsgi_application())
        print(f"\n  {note}\n\n  Open  {address}/  and press Ctrl-C here to stop.\n", flush=True)
        server.serve_forever()
    return 0


def _ask(arguments: argparse.Namespace, note: str) -> int:
    _set_up()
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import reverse
    from django.utils.http import urlencode

    from openedx_ai_extensions.demo.courses import chapters, course_key, units

    print(note, file=sys.stderr)
    client = Client()
    user = get_user_model().objects.filter(username=arguments.person).first()
    if user is None:
        print(f"There is no person with the name {arguments.person}.", file=sys.stderr)
        return 2
    client.force_login(user)
    course = course_key()
    first = next(iter(units(chapters(user))), None)
    if arguments.unit or not first:
        location = course.make_usage_key("vertical", arguments.unit or "none")
    else:
        location = first.usage_key
    context = {
        "courseId": str(course),
        "locationId": str(location),
        "uiSlotSelectorId": arguments.slot,
    }
    url = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{urlencode({'context': json.dumps(context)})}"
    body = {"action": arguments.action, "user_input": arguments.question or None}
    return _print_answer(client.post(url, json.dumps(body), content_type="application/json"))


def _print_answer(response: Any) -> int:
    if response.status_code != 200:
        message = response.json()["error"]["message"]
        print(message if isinstance(message, str) else " ".join(message), file=sys.stderr)
        return 1
    if not response.streaming:
        print(response.json()["response"])
        return 0
    text = ""
    for chunk in response.streaming_content:
        text += chunk.decode()
        print(chunk.decode(), end="", flush=True)
    print()
    return 1 if text.endswith("}||") else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Background runs are not waited for; they are reported as interrupted.
    os._exit(code)
