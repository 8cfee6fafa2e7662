"""Names of modules that other packages imported before, each for one more release."""

from importlib import import_module

import pytest

from openedx_ai_extensions import ledger
from openedx_ai_extensions.execution import Ending, Stream, current_execution

MOVED = {
    "openedx_ai_extensions.accounting.Run": "openedx_ai_extensions.ledger.Run",
    "openedx_ai_extensions.accounting.limits.Limit": "openedx_ai_extensions.ledger.limits.Limit",
    "openedx_ai_extensions.accounting.signals.limit_reached": "openedx_ai_extensions.ledger.signals.limit_reached",
    "openedx_ai_extensions.conf.BUILT_IN_TEMPLATE_DIR": "openedx_ai_extensions.core.conf.BUILT_IN_TEMPLATE_DIR",
    "openedx_ai_extensions.error_reports.MaskedExceptionReporter":
        "openedx_ai_extensions.core.error_reports.MaskedExceptionReporter",
    "openedx_ai_extensions.exceptions.Unsuitable": "openedx_ai_extensions.exceptions.ContentRejected",
    "openedx_ai_extensions.processors.llm.providers.CAPABILITIES": "openedx_ai_extensions.processors.llm.CAPABILITIES",
}  # fmt: skip


def _named(path):
    module, _dot, name = path.rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("old", MOVED)
def test_a_former_name_still_works_and_says_the_new_one(old):
    if not old.endswith(".Run"):
        with pytest.warns(DeprecationWarning, match=old.rpartition(".")[2]):
            assert _named(old) is _named(MOVED[old])
    with pytest.raises(AttributeError):
        _named(old + "ning")


def test_the_run_under_way_has_its_former_name():
    from openedx_ai_extensions import accounting

    assert accounting.Run is ledger.Run
    with pytest.warns(DeprecationWarning, match="current_execution"):
        assert accounting.current_run() is None is current_execution()


def test_the_hooks_of_a_stream_have_their_former_names():
    endings, checks = [], []
    stream = Stream([b"a"], finish=lambda ending, text: endings.append((ending, text)))
    with pytest.warns(DeprecationWarning, match="on_finish"):
        stream.then(lambda ending, text: endings.append(text))
    with pytest.warns(DeprecationWarning, match="before_each_chunk"):
        stream.watch(lambda: checks.append(True))
    assert list(stream) == [b"a"]
    assert endings == [(Ending.COMPLETED, "a"), "a"]
    assert checks == [True]
