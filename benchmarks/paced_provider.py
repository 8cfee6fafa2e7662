"""A model that takes its time: an OpenAI-like stream of ``--tokens`` over ``--seconds``, for any number of clients.

``python -m benchmarks.paced_provider`` prints its URL.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import Iterator

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def events(tokens: int) -> Iterator[bytes]:
    for number in range(tokens):
        yield _event({"choices": [{"index": 0, "delta": {"content": f"word{number} "}, "finish_reason": None}]})
    usage = {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens}
    done = _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield done + _event({"choices": [], "usage": usage}) + _framed(b"data: [DONE]\n\n")


def _event(fields: dict) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake", **fields}
    return _framed(f"data: {json.dumps(chunk)}\n\n".encode())


def _framed(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


async def serve(tokens: int, seconds: float) -> None:
    pieces = list(events(tokens))
    pause = seconds / tokens

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().lower().split("\r\n")
                length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
                await reader.readexactly(length)
                writer.write(HEAD)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
                writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=15.0)
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.tokens, arguments.seconds))
