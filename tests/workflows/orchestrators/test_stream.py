"""A stream ends exactly once, however it ends."""

import threading

import pytest

from openedx_ai_extensions.workflows.orchestrators import Ending, Stream


class Source:
    """Yields its chunks; raises those that are exceptions; knows whether it was closed."""

    usage = {"total_tokens": 3}

    def __init__(self, *chunks):
        self.chunks = iter(chunks)
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        chunk = next(self.chunks)
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    def close(self):
        self.closed += 1


@pytest.fixture
def endings():
    return []


def make(source, endings):
    return Stream(source, finish=lambda ending, text: endings.append((ending, text)), run_id="r")


def test_read_to_the_end(endings):
    source = Source("é".encode(), b"", b"nd")
    stream = make(source, endings)
    assert list(stream) == ["é".encode(), b"", b"nd"]
    stream.close()
    assert endings == [(Ending.COMPLETED, "énd")]
    assert source.closed == 1
    assert stream.usage == {"total_tokens": 3}


@pytest.mark.parametrize(
    ("fault", "ending"),
    [(ValueError("x"), Ending.FAILED), (KeyboardInterrupt(), Ending.FAILED), (GeneratorExit(), Ending.CANCELLED)],
    ids=["fault", "worker killed", "generator closed"],
)
def test_a_source_that_breaks(endings, fault, ending):
    stream = make(Source(b"a", fault), endings)
    assert next(stream) == b"a"
    with pytest.raises(type(fault)):
        next(stream)
    stream.close()
    assert list(stream) == []
    assert endings == [(ending, "a")]


def test_a_consumer_that_leaves(endings):
    source = Source(b"a", b"b")
    stream = make(source, endings)
    next(stream)
    stream.close()
    stream.close()
    assert list(stream) == []
    assert endings == [(Ending.CANCELLED, "a")]
    assert source.closed == 1


def test_many_closers_at_once_end_it_once(endings):
    stream = make(Source(b"a"), endings)
    start = threading.Barrier(8)

    def close():
        start.wait()
        stream.close()

    threads = [threading.Thread(target=close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(endings) == 1
