"""`python -m tests.e2e.impatient_clients HOST PORT CLIENTS FILE`: they ask, wait, ask again.

Each sends the request of a file every few seconds and insists on an answer that its receiver did
not answer. A process of its own, so that its work is not taken for the hub's.
"""

import asyncio
import sys
from pathlib import Path

PAUSE_SECONDS = 2.0
_UNANSWERED = b'"status_code":400'
"""4002 or 4003: the receiver did not answer in time, or too many wait for it already."""


async def _wait_all(host: str, port: int, clients: int, request: bytes) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            delay = PAUSE_SECONDS * number / clients  # not all at once, ever again
            group.create_task(_wait(host, port, request, delay))


async def _wait(host: str, port: int, request: bytes, delay: float) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    await asyncio.sleep(delay)
    while True:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await reader.readexactly(int(length))
        if _UNANSWERED not in body:
            raise RuntimeError(body.decode())
        await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    _, *where, file = sys.argv
    asyncio.run(_wait_all(where[0], int(where[1]), int(where[2]), Path(file).read_bytes()))
