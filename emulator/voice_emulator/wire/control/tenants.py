"""Tenants over the control API: create, read, change, delete, load a scenario, reset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from aiohttp import web

from voice_emulator.core.directory import KeyTaken
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenancy import TenantTaken
from voice_emulator.core.tenants import Tenant
from voice_emulator.errors import FileError, UsageError
from voice_emulator.wire.control.problems import conflict, invalid, wrong
from voice_emulator.wire.control.request import ControlRequest, reply_json
from voice_emulator.wire.control.system import all_tenants, of_all_replicas
from voice_emulator.wire.control.tenant_changes import changes_of, layer_of, read_clock
from voice_emulator.wire.control.views import show_tenant
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.turns import apart

DEFAULT_SCENARIO = "happy-path"
#: Characters of a scenario, or of an account, that take longer to be read than others should wait.
LONG_SCENARIO = 2_000


@contextmanager
def _refusals(key: str, value: str) -> Iterator[None]:
    """Conflicts of ids and keys become a 409, bad values a 422; ``key`` and ``value`` are the pointers to blame."""
    try:
        yield
    except TenantTaken as error:
        raise conflict(str(error), [("/id", str(error))]) from error
    except KeyTaken as error:
        raise conflict(str(error), [(key, str(error))]) from error
    except ValueError as error:
        raise wrong(value, str(error)) from error


async def list_tenants(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants``, oldest first."""
    after, limit = request.query["after"], request.query["limit"]
    ids = await all_tenants(request)
    if after is not None:
        if after not in ids:
            raise conflict(f"tenant {after!r} is gone; begin again without after")
        ids = ids[ids.index(after) + 1 :]
    following = ids[limit - 1] if len(ids) > limit else None
    page = await of_all_replicas(_shown(request, tenant_id) for tenant_id in ids[:limit])
    # One may have been deleted while others were asked for.
    return reply_json({"tenants": [tenant for tenant in page if tenant is not None], "next": following})


async def _shown(request: ControlRequest, tenant_id: str) -> Any:
    """A tenant of this replica or of another; None when it is gone."""
    runtime = request.runtime
    tenant = runtime.tenancy.get(tenant_id)
    if tenant is None and runtime.relay is not None:
        found = await runtime.relay.ask_owner(tenant_id, f"/v1/tenants/{tenant_id}")
        if found is not None:
            return found
        tenant = runtime.tenancy.get(tenant_id)  # taken over just now
    return None if tenant is None else show_tenant(tenant)


async def create_tenant(request: ControlRequest) -> web.Response:
    """``POST /v1/tenants``."""
    runtime, document = request.runtime, request.document
    clock = read_clock(document.get("clock"))
    scenario = await _scenario(request, document)
    name = document.get("id") or runtime.tenancy.new_id()
    make = partial(runtime.tenancy.create, scenario, id=name, clock=clock, api=layer_of(document))
    with _refusals("/credentials", ""):
        tenant = await _create(runtime, name, make)
    return reply_json(show_tenant(tenant), 201, {"Location": f"/v1/tenants/{tenant.id}"})


async def _create(runtime: Runtime, name: str, make: Callable[[], Tenant]) -> Tenant:
    """A new tenant, unless another replica has it, or one of its credentials."""
    ownership = runtime.ownership
    if ownership is None:
        return make()
    await ownership.create(name, runtime.tenancy.directory.rehearse(make))
    try:
        return make()
    finally:
        ownership.created(name)


async def _change(request: ControlRequest, change: Callable[[], None]) -> None:
    """Change a tenant, unless it would get a credential that a tenant of another replica has."""
    ownership, tenancy, tenant = request.runtime.ownership, request.runtime.tenancy, request.tenant
    if ownership is not None:
        keys = tenancy.directory.rehearse(change)
        if set(keys) - set(tenancy.directory.credentials(tenant)):
            await ownership.reserve(tenant.id, keys)
    change()


async def _scenario(request: ControlRequest, document: dict[str, Any]) -> Scenario:
    text = document.get("scenario_yaml")
    if text is not None:
        return await read_scenario(request, text, "/scenario_yaml")
    return named_scenario(request, document.get("scenario") or DEFAULT_SCENARIO, "/scenario")


def named_scenario(request: ControlRequest, name: str, pointer: str) -> Scenario:
    """A shipped scenario. Raises ControlError 422 with the nearest name."""
    try:
        return request.runtime.loader.named(name)
    except UsageError as error:
        raise wrong(pointer, str(error)) from error


async def read_scenario(request: ControlRequest, source: Any, pointer: str) -> Scenario:
    """A scenario from YAML text or a JSON document. Raises ControlError 422 with the findings."""
    try:
        heavy = not isinstance(source, str) or len(source) > LONG_SCENARIO
        return await apart(heavy, request.runtime.loader.sent, source)
    except FileError as error:
        found = [
            {"pointer": pointer + finding.pointer, "message": finding.message}
            | ({"line": finding.line, "column": finding.column} if finding.line else {})
            for finding in error.findings
        ]
        raise invalid(found or [(pointer, str(error))], "the scenario is invalid") from error


async def get_tenant(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}``."""
    return reply_json(show_tenant(request.tenant))


async def change_tenant(request: ControlRequest) -> web.Response:
    """``PATCH /v1/tenants/{id}``: a merge patch, all or nothing."""
    runtime, tenant, document = request.runtime, request.tenant, request.document
    with _refusals("/credentials", ""):
        await _change(request, partial(tenant.change, changes_of(runtime.providers, document)))
    return reply_json(show_tenant(tenant))


async def delete_tenant(request: ControlRequest) -> web.Response:
    """``DELETE /v1/tenants/{id}``: cancels its timers and open pushes; its credentials are free again."""
    try:
        request.runtime.tenancy.delete(request.tenant.id)
    except ValueError as error:
        raise conflict(str(error)) from error
    return web.Response(status=204)


async def get_scenario_text(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/scenario``: what is in force, as it was loaded."""
    body = request.tenant.scenario.text.encode()
    return web.Response(body=body, headers={"Content-Type": "application/yaml; charset=utf-8"})


async def load_scenario(request: ControlRequest) -> web.Response:
    """``PUT /v1/tenants/{id}/scenario``: by name, as JSON, or as YAML; an invalid one changes nothing."""
    tenant = request.tenant
    if request.text is not None:
        scenario = await read_scenario(request, request.text, "")
    elif set(request.document) == {"name"}:
        if not isinstance(request.document["name"], str):
            raise wrong("/name", "must be the name of a shipped scenario")
        scenario = named_scenario(request, request.document["name"], "/name")
    else:
        scenario = await read_scenario(request, request.document, "")
    with _refusals("/providers", "/providers"):
        await _change(request, partial(tenant.load, scenario))
    return reply_json(show_tenant(tenant))


async def reset_tenant(request: ControlRequest) -> web.Response:
    """``POST /v1/tenants/{id}/reset``: forget what happened; with ``?to=start`` also what was configured."""
    tenant = request.tenant
    if request.query["to"] == "start":
        try:
            await _change(request, tenant.restart)
        except KeyTaken as error:
            raise conflict(
                f"the start-up state cannot be restored: {error}", [("/credentials", str(error))]
            ) from error
    else:
        tenant.reset()
    return reply_json(show_tenant(tenant))
