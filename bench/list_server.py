"""`python -m bench.list_server PORT`: a platform's list of 50,000 Locations, in pages as asked for.

Each page leads to the next by `Link`, as real lists do.
"""

import asyncio
import sys

import uvloop
from aiohttp import web

from bench import objects
from bench.environment import SMALL_CPO
from ocpi.transport.pagination import next_link
from ocpi.types import ModuleID

LOCATIONS = 50_000
EVSES = 2


async def _serve(port: int) -> None:
    template = objects.put(ModuleID.LOCATIONS, evses=EVSES, owner=SMALL_CPO)

    async def answer(request: web.BaseRequest) -> web.Response:
        start, limit = (int(request.query.get(name, 0)) for name in ("offset", "limit"))
        end = min(start + limit, LOCATIONS)
        texts = (template.numbered(number, 0)[1] for number in range(start, end))
        headers = {"X-Total-Count": str(LOCATIONS)}
        if end < LOCATIONS:
            headers["Link"] = next_link(f"?offset={end}&limit={limit}")
        body = b'{"status_code":1000,"data":[%b]}' % b",".join(texts)
        return web.Response(body=body, content_type="application/json", headers=headers)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
