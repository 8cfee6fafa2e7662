"""The demo's pages: choosing a person, a unit with its widgets, an HTML block with a widget, a library collection."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.decorators import login_required as django_login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import UsageKey
from opaque_keys.edx.locator import LibraryLocatorV2

from openedx_ai_extensions.demo import library
from openedx_ai_extensions.demo.courses import chapters, course_key, units
from openedx_ai_extensions.demo.providers import choose
from openedx_ai_extensions.demo.seed import PEOPLE
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Block, RetrievalMode
from openedx_ai_extensions.exceptions import NotAllowed, ProcessorError
from openedx_ai_extensions.processors.openedx.extraction import block_text

# Buttons, in one bar, and below it what needs a line of its own.
SLOTS = ("unit-summary", "unit-simple", "unit-chat", "unit-flashcards")
STAFF_SLOTS = ("unit-quiz",)
LINE_SLOTS = ("unit-ask",)
# The HTML of a course is shown as it is, but no script in it runs, and no form in it is sent elsewhere.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src * data:",
        "media-src *", "frame-src https:", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
    )
)  # fmt: skip
login_required = django_login_required(login_url="home", redirect_field_name=None)


def note(_request: HttpRequest) -> Mapping[str, str]:
    """Which model answers, for every template."""
    return {"note": choose(os.environ).note}


def home(request: HttpRequest) -> HttpResponse:
    """The choice of a person; people who are logged in are sent to their first unit."""
    if request.user.is_authenticated:
        found = units(chapters(request.user))
        if found:
            return redirect("unit", location=str(found[0].usage_key))
    return render(request, "demo/home.html", {"people": PEOPLE})


@require_POST
def log_in(request: HttpRequest, name: str) -> HttpResponse:
    """Log in as one of the demo's people, without a password."""
    if name not in PEOPLE:
        raise Http404
    login(request, get_object_or_404(get_user_model(), username=name))
    return redirect("home")


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("home")


@login_required
def unit(request: HttpRequest, location: str) -> HttpResponse:
    """A unit as this person sees it, with its widgets."""
    block = _unit_with(request, location)
    is_staff = get_platform().is_course_staff(request.user, course_key())
    contents = [(chapter.display_name, units([chapter])) for chapter in chapters(request.user)]
    response = render(
        request,
        "demo/unit.html",
        {
            # Titles of chapters with their units, and whether the current one is among them.
            "chapters": [
                (title, found, block.usage_key in [unit.usage_key for unit in found]) for title, found in contents
            ],
            "course": get_platform().course_info(course_key()),
            "course_id": str(course_key()),
            "current": str(block.usage_key),
            "is_staff": is_staff,
            # Attributes of the widget.
            "library": {"id": library.LIBRARY_ID, "collections": json.dumps(library.collections())}
            if is_staff
            else None,
            "parts": list(_parts(block)),
            "slots": [*SLOTS, *(STAFF_SLOTS if is_staff else ()), *LINE_SLOTS],
            "staff_slots": STAFF_SLOTS,
            "title": block.display_name or block.usage_key.block_id,
        },
    )
    response["Content-Security-Policy"] = CONTENT_POLICY
    return response


@login_required
def embed(request: HttpRequest, location: str) -> HttpResponse:
    """A widget in an HTML block, and the HTML of this block."""
    block = _unit_with(request, location)
    return render(request, "demo/embed.html", {"course_id": str(course_key()), "current": str(block.usage_key)})


@login_required
def location(request: HttpRequest, course_id: str, location: str) -> HttpResponse:
    """Redirects to the unit with this location."""
    block = _unit_with(request, location)
    if course_id != str(block.usage_key.course_key):
        raise Http404
    return redirect("unit", location=str(block.usage_key))


@login_required
def collection(request: HttpRequest, library_id: str, key: str) -> HttpResponse:
    """A collection of the demo's library, for people who may edit the library."""
    titles = {found["key"]: found["title"] for found in library.collections()}
    if library_id != library.LIBRARY_ID or key not in titles:
        raise Http404
    try:
        get_platform().require_library_editor(request.user, LibraryLocatorV2.from_string(library_id))
    except NotAllowed:
        raise Http404 from None
    return render(
        request,
        "demo/collection.html",
        {"problems": library.problems(key), "title": titles[key]},
    )


def _unit_with(request: HttpRequest, location: str) -> Block:
    """The unit with this location, as this person sees it."""
    try:
        usage_key = UsageKey.from_string(location)
        [block, *_others] = get_platform().content(request.user, usage_key, RetrievalMode.UNIT)
    except (InvalidKeyError, ProcessorError, ValueError):
        raise Http404 from None
    return block


def _parts(block: Block) -> Iterator[SafeString]:
    """The blocks of a unit as HTML."""
    for child in block.children:
        data: Any = child.fields.get("data")
        is_html = child.category == "html" and isinstance(data, str)
        # Safe because of the page's content policy.
        yield mark_safe(data if is_html else linebreaks(block_text(child), autoescape=True))  # noqa: S308
