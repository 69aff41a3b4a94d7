"""An echo server for tests/interop/run, made of `websockets`. Prints its address, and `closed CODE REASON` at the
end of each connection."""

import asyncio

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def echo(connection):
    try:
        while True:
            await connection.send(await connection.recv())
    except ConnectionClosed as closed:
        received = closed.rcvd
        print("closed", f"{received.code} {received.reason}" if received else "without a close frame", flush=True)


async def main():
    async with serve(echo, "127.0.0.1", 0, max_size=None) as server:
        print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run(main())
