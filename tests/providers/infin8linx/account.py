"""What these tests share: a tenant without sockets, and a client's way of posting forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import ClockSpec, parse_rfc3339
from voice_emulator.core.directory import Directory
from voice_emulator.core.lifecycle import place
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import Rule, Scenario
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.infin8linx import PROVIDER
from voice_emulator.providers.request import Request

if TYPE_CHECKING:
    from tests.rig import Running

START = parse_rfc3339("2026-01-05T09:00:00+08:00")
SERVICES = {
    "Login": "App.Sip_Auth.Login",
    "Logout": "App.Sip_Auth.Logout",
    "PlayVoice": "App.Sip_Call.PlayVoice",
    "GetBill": "App.Sip_Cdr.GetBill",
    "GetRecodeFile": "App.Sip_Cdr.GetRecodeFile",
}
KEYS = {"appid": "in8-appid", "accesskey": "in8-accesskey"}
BATCH = {
    "service": SERVICES["PlayVoice"],
    **KEYS,
    "nationcode": "id",
    "destnumber": "81351111451",
    "voicetype": "1",
    "voicefile": "hello",
}
EVER = {"starttime": "2020-01-01 00:00:00", "endtime": "2035-12-31 23:59:59"}


def some_numbers(count: int, prefix: str = "6281") -> list[str]:
    """Distinct numbers, none of them a magic one."""
    return [f"{prefix}{index:06d}9" for index in range(count)]


def make_tenant(
    rules: Sequence[Rule] = (),
    settings: Mapping[str, Any] | None = None,
    *,
    at: int = START,
    id: str = "default",
) -> Tenant:
    """A tenant on a manual clock that knows only this provider."""
    scenario = Scenario("test", rules=tuple(rules), providers={"infin8linx": dict(settings or {})})
    clock = ClockSpec("manual", start=at)
    return Tenant(id, scenario, Directory(), {"infin8linx": PROVIDER}, lambda: at, clock=clock)


def make_request(tenant: Tenant, operation: str, fields: Mapping[str, str]) -> Request:
    """A decoded, attributed request as the operation's slots get it."""
    request = Request(
        "infin8linx",
        "POST",
        "/api/yunhu",
        {},
        {},
        b"",
        "127.0.0.1",
        encoding="urlencoded",
        fields={"service": SERVICES[operation], **fields},
        host="voice.test:4880",
    )
    request.operation = PROVIDER.operations[operation]
    request.tenant, request.attributed, request.now = tenant, True, tenant.now
    request.numbers = tuple(request.operation.numbers(request))
    first = request.numbers[0] if request.numbers else ""
    request.ordinal = tenant.ledger.request_ordinal("infin8linx", operation, first)
    return request


def dial(tenant: Tenant, numbers: Iterable[str], **fields: str) -> list[Call]:
    """Submit a batch and let every call end."""
    request = make_request(tenant, "PlayVoice", {**BATCH, **fields, "destnumber": ",".join(numbers)})
    operation = PROVIDER.operations["PlayVoice"]
    assert operation.submit is not None
    submission = operation.submit(request)
    assert submission is not None
    calls = place(tenant, submission, request.numbers, request.fields, tenant.now)
    for index, call in enumerate(calls):
        call.provider_id = PROVIDER.call_id(tenant, request, call, index)
    tenant.steps.start(calls, tenant.now)
    return calls


def run_out(tenant: Tenant) -> list[Push]:
    """Let everything pending happen; the pushes in the order they fell due."""
    pushes: list[Push] = []
    while (due := tenant.engine.next_due()) is not None:
        tenant.clock.advance_to(max(due, tenant.now))
        tenant.engine.fire(tenant.now)
        while tenant.outbox.due:
            pushes.append(tenant.outbox.due.popleft())
    return pushes


async def post(emu: Running, fields: Mapping[str, str], path: str = "/api/yunhu", **options: Any) -> Any:
    """Post an urlencoded form; the JSON of the reply, which is always HTTP 200."""
    async with emu.client.post(emu.url + path, data=dict(fields), **options) as reply:
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "application/json;charset=utf-8"
        return await reply.json()


async def log_in(emu: Running) -> str:
    """A token of the tenant ``default``."""
    answer = await post(emu, {"service": SERVICES["Login"], **KEYS})
    assert answer["ret"] == 200, answer
    return str(answer["data"]["result"]["token"])


async def call(emu: Running, operation: str, **fields: str) -> Any:
    """Call one operation by its service name."""
    return await post(emu, {"service": SERVICES[operation], **fields})


async def bills(emu: Running, token: str, **fields: str) -> Any:
    """The result of a GetBill that lists everything, unless ``fields`` say otherwise."""
    wanted = {**EVER, "callmethod": "0", "syncflag": "3", "itemsperpage": "1000", **fields}
    answer = await call(emu, "GetBill", token=token, **wanted)
    assert answer["ret"] == 200, answer
    return answer["data"]["result"]


def setting(**values: Any) -> dict[str, Any]:
    """A PATCH of account settings."""
    return {"settings": {"infin8linx": values}}
