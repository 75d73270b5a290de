"""`python -m bench.proxy PORT TARGET`: a bare reverse proxy, with which relaying is compared."""

import asyncio
import sys

import aiohttp
import uvloop
from aiohttp import web

_OWN = {"host", "content-length", "connection", "transfer-encoding"}


async def _serve(port: int, target: str) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def answer(request: web.BaseRequest) -> web.Response:
            given = request.headers.items()
            headers = {name: each for name, each in given if name.lower() not in _OWN}
            url, body = target + request.path_qs, await request.read()
            async with session.request(request.method, url, headers=headers, data=body) as reply:
                content = await reply.read()
                return web.Response(
                    body=content, status=reply.status, content_type="application/json"
                )

        runner = web.ServerRunner(web.Server(answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2]))
