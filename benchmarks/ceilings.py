"""The ceilings: the least that aiohttp itself can do for the same exchange. Run as a process of its own.

``reply``: parse a body (JSON, urlencoded or multipart, by the path) and answer a fixed JSON body. ``submit``: the same
for JSON, and post one callback per request with a shared session. Either prints its port, then serves until killed.
``push``: post N receipts over 64 keep-alive connections; ``sequential``: one after the other. Either prints the seconds it
took, and those of CPU.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp
import uvloop
from aiohttp import web

PATH = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
GPSEND = "/api/voiceSms/gpsend"
PLAY_VOICE = "/api/yunhu"
REPLY = {"retCode": "0", "retMsg": "Created successfully.", "result": {"callSerialNo": "1308434073450058757"}}
RECEIPT = {
    "alertingTime": "2022/02/22,10:04:29:004", "callSerialNo": "1197765398201387012", "called": "88880067",
    "callerPresent": "960003", "createCallTime": "2022/02/22,10:04:28:823", "releaseReason": "0",
    "releaseTime": "2022/02/22,10:04:36:318", "talkDuration": "6", "talkingTime": "2022/02/22,10:04:30:418",
}  # fmt: skip
#: The replies to forms, by path.
FORM_REPLIES = {
    GPSEND: {"result": "Request succeeded", "messageid": "20d6c660bd664c65bef20026564b0b79", "code": "0"},
    PLAY_VOICE: {"code": 200, "data": {"desc": "Play command sent successfully"}},
}
CONNECTIONS = 64


async def serve(kind: str, receiver: str) -> None:
    """Answer until killed; with ``submit`` each request is followed by one callback."""
    tasks: set[asyncio.Task[None]] = set()
    counter = iter(range(10**18, 10**19))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def reply(request: web.Request) -> web.Response:
            json.loads(await request.read())
            if kind == "submit":
                task = asyncio.create_task(_push(session, receiver, str(next(counter))))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            return web.json_response(REPLY)

        async def form_reply(request: web.Request) -> web.Response:
            await request.post()
            return web.json_response(FORM_REPLIES[request.path])

        async def health(request: web.Request) -> web.Response:
            return web.json_response({"status": "ready"})

        app = web.Application()
        app.router.add_post(PATH, reply)
        for path in FORM_REPLIES:
            app.router.add_post(path, form_reply)
        app.router.add_get("/health", health)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


async def push(receiver: str, count: int, connections: int) -> None:
    """Post ``count`` receipts with ``connections`` at once, and print the seconds, and those of CPU."""
    numbers = iter(range(10**18, 10**18 + count))

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            await _push(session, receiver, str(number))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        started, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker(session) for _ in range(connections)))
        print(time.perf_counter() - started, time.process_time() - spent, flush=True)


async def _push(session: aiohttp.ClientSession, receiver: str, serial: str) -> None:
    async with session.post(receiver, json={**RECEIPT, "callSerialNo": serial}) as answer:
        await answer.read()


def main() -> None:
    """``ceilings reply | submit RECEIVER | push RECEIVER N | sequential RECEIVER N``."""
    kind, *rest = sys.argv[1:]
    if kind in ("reply", "submit"):
        uvloop.run(serve(kind, rest[0] if rest else ""))
    else:
        uvloop.run(push(rest[0], int(rest[1]), CONNECTIONS if kind == "push" else 1))


if __name__ == "__main__":
    main()
