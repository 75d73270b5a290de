"""`python -m bench.sink PORT…`: receivers that accept everything, and count it.

`GET /count` on any port returns how many PUTs and PATCHes all of them took so far, `GET /times`
when those came whose X-Correlation-ID says that they are timed.
"""

import asyncio
import sys
import time
from collections import defaultdict

import uvloop
from aiohttp import web

HANGING = "HANGING/authorize"
"""The end of a path that gets no answer."""
TIMED = "timed-"
_FOR_EVER = 3600
ACCEPTED = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'


async def _serve(ports: list[int]) -> None:
    taken = 0
    times: dict[str, list[float]] = defaultdict(list)

    async def answer(request: web.BaseRequest) -> web.Response:
        nonlocal taken
        if request.method == "GET":
            return web.json_response(times if request.path == "/times" else taken)
        correlation_id = request.headers.get("X-Correlation-ID", "")
        if correlation_id.startswith(TIMED):
            times[correlation_id].append(time.monotonic())
        await request.read()
        if request.path.endswith(HANGING):
            await asyncio.sleep(_FOR_EVER)
        taken += 1
        return web.Response(body=ACCEPTED, content_type="application/json")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    for port in ports:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve([int(word) for word in sys.argv[1:]]))
