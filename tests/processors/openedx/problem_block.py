"""The problem block of the platform's own package, in the smallest runtime that it runs in."""

from __future__ import annotations

import gettext
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.template import engines
from lxml import etree
from opaque_keys.edx.keys import UsageKey
from webob.multidict import MultiDict
from xblock.field_data import DictFieldData
from xblock.fields import ScopeIds
from xblock.reference.user_service import UserService, XBlockUser
from xblock.test.tools import TestRuntime

USAGE_KEY = UsageKey.from_string("block-v1:OpenedX+AIX+demo+type@problem+block@quiz")


class _Learner(UserService):
    def get_current_user(self) -> XBlockUser:
        user = XBlockUser(is_current_user=True)
        user.opt_attrs = {
            "edx-platform.user_id": 7,
            "edx-platform.user_is_staff": False,
            "edx-platform.deprecated_anonymous_user_id": "anonymous-7",
        }
        return user


class _Urls:
    @staticmethod
    def replace_urls(text: Any) -> Any:
        return text


class _Sandbox:
    @staticmethod
    def can_execute_unsafe_code() -> bool:
        return False

    @staticmethod
    def get_python_lib_zip() -> None:
        return None


class _NoQueue:
    """For graders outside of the platform; none of these problems has one."""


class _Runtime(TestRuntime):
    resources_fs = None

    def handler_url(self, *_args: Any, **_kwargs: Any) -> str:
        return "/handler"

    def publish(self, *_args: Any, **_kwargs: Any) -> None:
        """Nobody keeps grades here."""


def problem_block() -> Any:
    """The block's class, loaded only here, as that takes seconds. Skips the test where it is not installed."""
    if sys.modules.get("xblocks_contrib") is None:
        sys.modules.pop("xblocks_contrib", None)
    try:
        from xblocks_contrib.problem import capa_block
    except ImportError as error:
        pytest.skip(f"the problem block is not installed (xblocks-contrib): {error}")
    # A site finds these as the templates of an installed app.
    templates = Path(capa_block.__file__).parent / "capa" / "templates"
    directories = engines["django"].engine.dirs
    if templates not in directories:
        directories.append(templates)
    return capa_block.ProblemBlock


class Problem:
    """A learner in front of a problem.

    Args:
        olx: its ``<problem>``.
    """

    def __init__(self, olx: str) -> None:
        services = {
            "user": _Learner(),
            "i18n": gettext.NullTranslations(),
            "cache": cache,
            "sandbox": _Sandbox(),
            "xqueue": _NoQueue(),
            "replace_urls": _Urls(),
            "field-data": DictFieldData({}),
        }
        runtime = _Runtime(services=services)
        keys = ScopeIds("7", "problem", USAGE_KEY, USAGE_KEY)
        self.block = problem_block().parse_xml_new_runtime(etree.fromstring(olx), runtime, keys)

    @property
    def html(self) -> str:
        """What the learner sees."""
        return self.block.get_problem_html(encapsulate=False)

    @property
    def field(self) -> str:
        """The name under which the answer is sent."""
        ((answer_id,),) = self.block.lcp.get_answer_ids()
        return f"input_{answer_id}"

    def submit(self, *answers: str, is_list: bool = False) -> str:
        """How the answer is graded: ``correct``, ``incorrect``, or a message."""
        data = MultiDict()
        for answer in answers:
            data.add(f"{self.field}[]" if is_list else self.field, answer)
        return self.block.submit_problem(data)["success"]

    def hint(self, index: int) -> str:
        return str(self.block.get_demand_hint(index)["msg"])

    def shown_answers(self) -> str:
        with mock.patch.object(problem_block(), "answer_available", return_value=True):
            return " ".join(map(str, self.block.get_answer({})["answers"].values()))
