"""The threads that tools run in."""

from __future__ import annotations

import logging
import re
import sys
import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import translation

from openedx_ai_extensions.tools import Toolbox, ToolContext, ToolResult, llm_tool
from openedx_ai_extensions.tools.registry import MAX_RUNNING_CALLS, find_tool


def repeat(context: ToolContext, text: str):
    return text


def test_a_tool_that_hangs_is_left_behind(toolbox, caplog):
    caplog.set_level(logging.INFO)
    release = threading.Event()

    def hang(context: ToolContext):
        release.wait()

    box = toolbox(hang, timeout=0.2)
    assert box.call("hang", "") == ToolResult("The tool took too long and was stopped.", False)
    assert re.search(r"tool\.call name=hang ok=False reason=timeout seconds=\d+\.", caplog.text)
    release.set()


def test_a_tool_that_always_hangs_takes_only_so_many_threads(toolbox):
    release = threading.Event()

    def hang(context: ToolContext):
        release.wait()

    box = toolbox(hang, timeout=0.02)
    for _n in range(MAX_RUNNING_CALLS + 5):
        assert not box.call("hang", "").ok
    assert len([thread for thread in threading.enumerate() if thread.name == "tool-hang"]) <= MAX_RUNNING_CALLS
    release.set()


def test_the_language_of_the_request_is_the_tools(toolbox):
    with translation.override("de"):
        assert toolbox(lambda context: translation.get_language(), name="speak").call("speak", "").text == "de"


def test_no_more_threads(toolbox, monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    box = toolbox(repeat)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for _n in range(MAX_RUNNING_CALLS + 1):
            assert box.call("repeat", '{"text": "a"}') == ToolResult("The tool failed.", False)
    assert box.call("repeat", '{"text": "a"}').ok


@pytest.mark.django_db(transaction=True)
def test_a_tool_reads_the_database_and_leaves_no_connection(toolbox):
    get_user_model().objects.create_user("somebody")
    seen = []

    def count(context: ToolContext):
        seen.append(connections["default"])
        return get_user_model().objects.count()

    box = toolbox(count)
    assert [box.call("count", "").text for _n in range(3)] == ["1"] * 3
    assert len(set(map(id, seen))) == 3
    assert [found.connection for found in seen] == [None] * 3


@pytest.mark.django_db(transaction=True)
def test_people_never_mix(context_for):
    @llm_tool
    def who(context: ToolContext, number: int):
        name = get_user_model().objects.get(pk=context.user.pk).username if number % 100 == 0 else context.user.username
        return f"{name} {context.course_id} {number}"

    people = [(get_user_model().objects.create_user(f"person{n}"), f"course-v1:Org+C{n}+run") for n in range(2)]
    boxes = [Toolbox([find_tool("who")], context_for(user, None, course)) for user, course in people]
    wrong: list[str] = []

    def ask(thread):
        for number in range(500):
            (user, course), box = people[(thread + number) % 2], boxes[(thread + number) % 2]
            text = box.call("who", f'{{"number": {number}}}').text
            if text != f"{user.username} {course} {number}":
                wrong.append(text)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert wrong == []
