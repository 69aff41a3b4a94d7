"""A client for tests/interop/run, made of `websockets`: `client.py URL PID` talks to the echo server at URL, whose
process is PID. Prints one JSON line per check, [name, fault], with an empty fault where all is well."""

# All in one thread: what `websockets` has for threads reads and writes a TLS connection in two of them at once, and on a busy
# machine one request of a thousand does not leave then, whoever the server is.
import asyncio
import json
import os
import signal
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

URL, PID = sys.argv[1], int(sys.argv[2])
SECONDS = 30  # for one step, which takes milliseconds where nothing is wrong


def opened(**options):
    return connect(URL, open_timeout=SECONDS, close_timeout=SECONDS, **options)


def soon(step):
    return asyncio.wait_for(step, SECONDS)


def equal(what, seen, wanted):
    assert seen == wanted, f"{what}: {seen!r:.100} instead of {wanted!r:.100}"


async def echo(payload, pieces=None):
    async with opened() as connection:
        await connection.send(payload if pieces is None else pieces)
        seen = await soon(connection.recv())
        equal("type of the echo", type(seen), type(payload))
        equal("length of the echo", len(seen), len(payload))
        assert seen == payload, "the echo is not what was sent"


async def ping():
    async with opened() as connection:
        # Done by the Pong with the payload of the Ping.
        await soon(await connection.ping("are you there?"))


async def subprotocol():
    # A server may take one of those offered, or none (RFC 6455 section 4.2.2); `websockets` refuses any other.
    async with opened(subprotocols=["chat", "superchat"]) as connection:
        assert connection.subprotocol in (None, "chat", "superchat"), connection.subprotocol


async def closed_by_server(code, provoke):
    async with opened() as connection:
        await provoke(connection)
        try:
            message = await soon(connection.recv())
        except ConnectionClosed:
            equal("close code", connection.close_code, code)
        else:
            raise AssertionError(f"message {message!r:.100} instead of the end")


async def close(code, reason):
    # The server may repeat our reason or leave it out, and must repeat the code (RFC 6455 section 5.5.1).
    async with opened() as connection:
        await connection.close(code, reason)
        received = connection.protocol.close_rcvd
        assert received is not None, "no close frame from the server"
        equal("close code", received.code, code)
        assert received.reason in ("", reason), f"close reason: {received.reason!r} instead of {reason!r}"


async def interrupt(_):
    os.kill(PID, signal.SIGINT)


CHECKS = {
    "text": lambda: echo("Grüße, 世界 🌍"),
    "binary": lambda: echo(bytes(range(256))),
    "empty text": lambda: echo(""),
    "empty binary": lambda: echo(b""),
    "1 MiB text": lambda: echo("0123456789abcdef" * 65536),
    "1 MiB binary": lambda: echo(bytes(range(256)) * 4096),
    "fragmented": lambda: echo("one two", ["one", "", " two"]),
    "ping": ping,
    "subprotocol": subprotocol,
    "close code and reason": lambda: close(4321, "genug für heute"),
    "invalid UTF-8: 1007": lambda: closed_by_server(1007, lambda c: c.send(b"\xce\xff", text=True)),
    "shut down: 1001": lambda: closed_by_server(1001, interrupt),  # last, for it ends the server
}

for name, steps in CHECKS.items():
    fault = ""
    try:
        asyncio.run(steps())
    except Exception as error:  # whatever went wrong is the finding
        fault = f"{type(error).__name__}: {error}"
    print(json.dumps([name, fault]), flush=True)
