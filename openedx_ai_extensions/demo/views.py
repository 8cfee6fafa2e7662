"""The demo's pages: choosing a person, a unit with its widgets, an HTML block with a widget, a library collection."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.decorators import login_required as django_login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey
from opaque_keys.edx.locator import LibraryLocatorV2

from openedx_ai_extensions.demo import library
from openedx_ai_extensions.demo.providers import choose
from openedx_ai_extensions.demo.seed import COURSE_ID, PEOPLE
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Block, OutlineNode, RetrievalMode
from openedx_ai_extensions.exceptions import NotAllowed, ProcessorError
from openedx_ai_extensions.processors.openedx.extraction import block_text

SLOTS = ("unit-summary", "unit-simple", "unit-ask", "unit-mock", "unit-chat", "unit-flashcards")
STAFF_SLOTS = ("unit-quiz",)
COURSE_KEY = CourseKey.from_string(COURSE_ID)
login_required = django_login_required(login_url="home", redirect_field_name=None)


def home(request: HttpRequest) -> HttpResponse:
    """The choice of a person; people who are logged in are sent to their first unit."""
    if request.user.is_authenticated:
        units = list(_units(request))
        if units:
            return redirect("unit", location=str(units[0].usage_key))
    return render(request, "demo/home.html", {"people": PEOPLE, "note": choose(os.environ).note})


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
    is_staff = get_platform().is_course_staff(request.user, COURSE_KEY)
    choice = choose(os.environ)
    return render(
        request,
        "demo/unit.html",
        {
            "course": get_platform().course_info(COURSE_KEY),
            "course_id": COURSE_ID,
            "current": str(block.usage_key),
            "is_staff": is_staff,
            # Attributes of the widget.
            "library": {"id": library.LIBRARY_ID, "collections": json.dumps(library.collections())}
            if is_staff
            else None,
            "note": choice.note,
            "parts": list(_parts(block)),
            "scripted": ["unit-flashcards", "unit-quiz"] if choice.is_data_scripted else [],
            "slots": [*SLOTS, *(STAFF_SLOTS if is_staff else ())],
            "staff_slots": STAFF_SLOTS,
            "title": block.display_name,
            "units": list(_units(request)),
        },
    )


@login_required
def embed(request: HttpRequest, location: str) -> HttpResponse:
    """A widget in an HTML block, on a page without anything else of the demo."""
    block = _unit_with(request, location)
    return render(request, "demo/embed.html", {"course_id": COURSE_ID, "current": str(block.usage_key)})


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
        {"note": choose(os.environ).note, "problems": library.problems(key), "title": titles[key]},
    )


def _unit_with(request: HttpRequest, location: str) -> Block:
    """The unit with this location, as this person sees it."""
    try:
        usage_key = UsageKey.from_string(location)
        [block, *_others] = get_platform().content(request.user, usage_key, RetrievalMode.UNIT)
    except (InvalidKeyError, ProcessorError, ValueError):
        raise Http404 from None
    return block


def _units(request: HttpRequest) -> Iterator[OutlineNode]:
    if not get_platform().can_see_course(request.user, COURSE_KEY):
        return
    for chapter in get_platform().course_outline(request.user, COURSE_KEY):
        for sequence in chapter.children:
            yield from sequence.children


def _parts(block: Block) -> Iterator[SafeString]:
    """The blocks of a unit as HTML."""
    for child in block.children:
        data: Any = child.fields.get("data")
        is_html = child.category == "html" and isinstance(data, str)
        # Safe only because this course is part of the demo.
        yield mark_safe(data if is_html else linebreaks(block_text(child), autoescape=True))  # noqa: S308
