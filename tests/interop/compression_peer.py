"""The other end of compression.py, made of `websockets`.

`compression_peer.py server` is an echo server that agrees to what the query of a request says; it prints its address.
`compression_peer.py client URL COMBINATIONS` opens a connection to URL for each combination. Prints one JSON line for
each, [label, fault], with an empty fault where all is well.

It cannot compress with a window of 8 bits, only inflate."""

import asyncio
import json
import random
import sys
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.sync.client import connect

SECONDS = 60  # for one step, which takes milliseconds where nothing is wrong


async def echo(connection):
    try:
        while True:
            await connection.send(await connection.recv())
    except ConnectionClosed:
        pass


def choose(connection, request):
    """Sets what this connection may agree to; the library has one setting for all."""
    query = parse_qs(urlsplit(request.path).query)
    bits = int(query["bits"][0]) if "bits" in query else None
    connection.protocol.available_extensions = [ServerPerMessageDeflateFactory(
        server_no_context_takeover=query["server"] == ["1"], client_no_context_takeover=query["client"] == ["1"],
        server_max_window_bits=bits if bits != 8 else None, client_max_window_bits=bits)]


async def run_server():
    async with serve(echo, "127.0.0.1", 0, max_size=None, process_request=choose) as server:
        print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


def talk(url, serverNone, clientNone, bits, **_):
    offer = ClientPerMessageDeflateFactory(
        server_no_context_takeover=serverNone, client_no_context_takeover=clientNone,
        server_max_window_bits=bits, client_max_window_bits=bits if bits not in (None, 8) else True)
    noise = random.Random(1)
    messages = []
    for size in (0, 1, 125, 126, 1024, 65536, 1 << 20):
        messages.append("".join(f"{i} Grüße, 世界 🌍\n" for i in range(size // 9 + 1))[:size])
        messages.append(noise.randbytes(size))
    row = [json.dumps([{"id": i, "name": "Grüße"}] * 20) for i in range(20)]
    pieces = ["in pieces, ", "", "一片一片, " * 200, "the last"]
    with connect(url, compression=None, extensions=[offer], max_size=None, open_timeout=SECONDS,
                 close_timeout=SECONDS) as connection:
        for message in messages:
            connection.send(message)
            expect(connection, message)
        for message in row:
            connection.send(message)
        for message in row:
            expect(connection, message)
        connection.send(pieces)
        expect(connection, "".join(pieces))


def expect(connection, message):
    echo = connection.recv(SECONDS)
    assert type(echo) is type(message), f"an echo of type {type(echo)}"
    assert echo == message, f"an echo of {len(message)} is not what was sent"


def run_client(url, combinations):
    for combination in json.loads(combinations):
        fault = ""
        try:
            talk(url + combination["target"], **combination)
        except Exception as error:  # whatever went wrong is the finding
            fault = f"{type(error).__name__}: {error}"
        print(json.dumps([combination["label"], fault]), flush=True)


if sys.argv[1] == "server":
    asyncio.run(run_server())
else:
    run_client(*sys.argv[2:])
