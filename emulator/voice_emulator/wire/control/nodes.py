"""What concerns all replicas together: which there are, what they own, and asking each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from aiohttp import web

from voice_emulator.core.shapes import Node
from voice_emulator.errors import StateError
from voice_emulator.wire.control.problems import ControlError
from voice_emulator.wire.control.request import ControlRequest, reply_json
from voice_emulator.wire.ownership import Replica
from voice_emulator.wire.relay.relay import NoOwner

#: The name of the only replica, where no store is shared.
ALONE = "local"


async def list_nodes(request: ControlRequest) -> web.Response:
    """``GET /v1/nodes``: the replicas, the one that answers first."""
    runtime = request.runtime
    own = Node.shown(
        name=runtime.ownership.name if runtime.ownership is not None else ALONE,
        url=runtime.options.node_url or runtime.control,
        traffic=runtime.traffic,
        version=runtime.version,
        answers=True,
        tenants=[tenant.id for tenant in runtime.tenancy],
    )
    others = [] if request.relayed else await _others(request)
    found = await asyncio.gather(*(_asked(request, replica) for replica in others))
    return reply_json({"nodes": [own, *found], "next": None})


async def _asked(request: ControlRequest, replica: Replica) -> dict[str, Any]:
    relay = request.runtime.relay
    try:
        if relay is not None:
            status, document = await relay.ask(replica, "/v1/nodes")
            if status == 200:
                return dict(document["nodes"][0])
    except NoOwner:
        pass
    return Node.shown(name=replica.name, url=replica.url, traffic="", version="", answers=False, tenants=[])


async def _others(request: ControlRequest) -> list[Replica]:
    """The other replicas. Raises ControlError 503 when the store does not answer."""
    ownership = request.runtime.ownership
    if ownership is None:
        return []
    try:
        return [replica for replica in await ownership.replicas() if replica.name != ownership.name]
    except StateError as error:
        raise _unavailable(f"the store does not answer: {error}") from error


async def all_tenants(request: ControlRequest) -> list[str]:
    """The ids of the tenants of all replicas, the oldest first. Raises ControlError 503."""
    runtime = request.runtime
    if runtime.ownership is None or request.relayed:
        return [tenant.id for tenant in runtime.tenancy]
    try:
        return await runtime.ownership.tenants()
    except StateError as error:
        raise _unavailable(f"the store does not answer: {error}") from error


async def ask_others(
    request: ControlRequest, target: str, *, method: str = "GET", document: Any = None
) -> list[dict[str, Any]]:
    """The replies of all other replicas to one request; none when another replica passed this one on.

    Raises ControlError 503 when one does not answer.
    """
    relay = request.runtime.relay
    if relay is None or request.relayed:
        return []
    asked = [
        relay.ask(replica, target, method=method, document=document) for replica in await _others(request)
    ]
    answers = await of_all_replicas(asked)
    for status, answer in answers:
        if status != 200:
            raise ControlError(status, f"another replica refused: {answer['detail']}")
    return [answer for _, answer in answers]


async def of_all_replicas(asked: Iterable[Awaitable[Any]]) -> list[Any]:
    """What was asked of several replicas. Raises ControlError 503 when one does not answer."""
    try:
        return list(await asyncio.gather(*asked))
    except NoOwner as error:
        raise _unavailable(str(error)) from error


def _unavailable(why: str) -> ControlError:
    return ControlError(503, why, headers={"Retry-After": "1"})
