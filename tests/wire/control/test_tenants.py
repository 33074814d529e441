"""Tenants over the control API."""

from __future__ import annotations

import pytest

from tests.rig import started
from tests.wire.api import ANSWERED, BUSY, Api

T = "/v1/tenants/default"
YAML = {"Content-Type": "application/yaml"}


async def test_default_has_its_documented_credentials(api: Api):
    tenant = (await api.get(T)).json
    assert tenant["id"] == "default"
    assert (tenant["scenario"], tenant["seed"], tenant["clock"]) == ("happy-path", 1, "manual")
    assert tenant["now"] == "2026-01-05T01:00:00.000000+00:00"
    assert tenant["credentials"]["nxcloud"]["appkey"] == "nx-appkey"
    assert tenant["credentials"]["huawei_cec"]["app_key"] == "cec-app-key"
    assert tenant["credentials"]["infin8linx"]["appid"] == "in8-appid"
    assert set(tenant["settings"]) == {"nxcloud", "huawei_cec", "infin8linx"}


async def test_a_tenant_is_created_with_nothing_said(api: Api):
    reply = await api.post("/v1/tenants")
    assert reply.status == 201
    tenant = reply.json
    assert reply.headers["Location"] == f"/v1/tenants/{tenant['id']}"
    assert (tenant["scenario"], tenant["clock"], tenant["callback_urls"]) == ("happy-path", "real", {})
    assert tenant["credentials"]["nxcloud"]["appkey"] != "nx-appkey"
    assert (await api.get(reply.headers["Location"])).json["id"] == tenant["id"]
    assert (
        await api.post("/v1/tenants", {"id": None, "scenario": None, "seed": None, "clock": None})
    ).status == 201


async def test_creation_with_every_member(api: Api):
    reply = await api.post(
        "/v1/tenants",
        {
            "id": "everything",
            "scenario": "all-busy",
            "seed": 7,
            "clock": {"mode": "manual", "start": "2026-03-01T08:00:00+08:00"},
            "callback_urls": {"nxcloud": "http://127.0.0.1:9/dr", "infin8linx": None},
            "credentials": {"nxcloud": {"appkey": "my-key", "agent": {"username": "me"}}},
            "settings": {"nxcloud": {"tariff": {"cycle": 6, "price": "0.01"}}},
        },
    )
    tenant = reply.json
    assert (tenant["id"], tenant["scenario"], tenant["seed"], tenant["clock"]) == (
        "everything",
        "all-busy",
        7,
        "manual",
    )
    assert tenant["now"] == "2026-03-01T00:00:00.000000+00:00"
    assert tenant["callback_urls"] == {"nxcloud": "http://127.0.0.1:9/dr"}
    assert tenant["credentials"]["nxcloud"]["appkey"] == "my-key"
    assert tenant["credentials"]["nxcloud"]["agent"]["username"] == "me"
    assert tenant["settings"]["nxcloud"]["tariff"]["cycle"] == 6


async def test_a_scenario_may_come_along(api: Api):
    text = "name: mine\nseed: 9\nclock: manual\nrules:\n  - name: no\n    call: {outcome: busy}\n"
    tenant = (await api.post("/v1/tenants", {"scenario_yaml": text})).json
    assert (tenant["scenario"], tenant["seed"], tenant["clock"]) == ("mine", 9, "manual")
    tenant = (await api.post("/v1/tenants", {"scenario_yaml": text, "seed": 3, "clock": "60x"})).json
    assert (tenant["seed"], tenant["clock"]) == (3, "60x")


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({"scenario": "happy-pth"}, "/scenario", "did you mean 'happy-path'?"),
        ({"scenario": "/etc/passwd"}, "/scenario", "there is no"),
        ({"scenario": "happy-path", "scenario_yaml": "name: x"}, "/scenario_yaml", "either"),
        ({"scenario_yaml": "name: x\nrules:\n  - nmae: y\n"}, "/scenario_yaml/rules/0/nmae",
        "did you mean 'name'?"),
        ({"scenario_yaml": "name: [\n"}, "/scenario_yaml", ""),
        ({"clock": "menual"}, "/clock", "did you mean 'manual'?"),
        ({"clock": {"mode": "manual", "strat": "x"}}, "/clock/strat", "did you mean 'start'?"),
        ({"clock": {"mode": "manual", "start": "2026-01-05"}}, "/clock/start", "offset"),
        ({"clock": {"start": "2026-01-05T00:00:00Z"}}, "/clock/mode", "required"),
        ({"clock": "0x"}, "/clock", "0x"),
        ({"callback_urls": {"nxclod": "http://a"}}, "/callback_urls/nxclod", "did you mean 'nxcloud'?"),
        ({"callback_urls": {"nxcloud": "http://a/\r\nX: y"}}, "/callback_urls/nxcloud", "control"),
        ({"callback_urls": {"nxcloud": "http://a/b c"}}, "/callback_urls/nxcloud", "blanks"),
        ({"callback_urls": {"nxcloud": "http://" + "a" * 3000}}, "/callback_urls/nxcloud", "2048"),
        ({"callback_urls": {"nxcloud": 5}}, "/callback_urls/nxcloud", "URL"),
        ({"credentials": {"huawei": {}}}, "/credentials/huawei", "did you mean 'huawei_cec'?"),
        ({"credentials": {"nxcloud": {"apkey": "x"}}}, "/credentials/nxcloud/apkey",
        "did you mean 'appkey'?"),
        ({"credentials": {"nxcloud": {"agent": "x"}}}, "/credentials/nxcloud/agent", "object"),
        ({"credentials": {"nxcloud": {"agent": {"usrname": "x"}}}}, "/credentials/nxcloud/agent/usrname",
        "username"),
        ({"credentials": {"nxcloud": {"appkey": ""}}}, "/credentials/nxcloud/appkey", "1 to 256"),
        ({"credentials": {"nxcloud": {"appkey": "a\nb"}}}, "/credentials/nxcloud/appkey", "printable"),
        ({"credentials": {"huawei_cec": {"shared_key": "short"}}}, "", "at least 16"),
        ({"settings": {"nxclou": {}}}, "/settings/nxclou", "did you mean 'nxcloud'?"),
        ({"settings": {"nxcloud": []}}, "/settings/nxcloud", "object"),
        ({"settings": {"nxcloud": {"tarif": {}}}}, "/settings/nxcloud/tarif", "did you mean 'tariff'?"),
        ({"settings": {"nxcloud": {"tariff": {"cycle": 0}}}}, "/settings/nxcloud/tariff", "at least 1"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_with_its_place(api: Api, body: dict, pointer: str, says: str):
    before = len(api.emu.emulator.runtime.tenancy)
    reply = await api.post("/v1/tenants", body)
    assert reply.status == 422, reply.text
    assert pointer in reply.errors, reply.errors
    assert says in reply.errors[pointer]
    assert len(api.emu.emulator.runtime.tenancy) == before


async def test_all_mistakes_are_told_at_once(api: Api):
    body = {"callback_urls": {"a": "b"}, "credentials": {"c": {}}, "settings": {"d": {}}, "clock": "never"}
    reply = await api.post("/v1/tenants", body)
    assert set(reply.errors) == {"/callback_urls/a", "/credentials/c", "/settings/d", "/clock"}


async def test_findings_of_a_scenario_bear_line_and_column(api: Api):
    text = "name: x\nrules:\n  - name: a\n    call: {outcom: busy}\n"
    for reply in (
        await api.post("/v1/tenants", {"scenario_yaml": text}),
        await api("PUT", f"{T}/scenario", data=text, headers=YAML),
    ):
        assert reply.status == 422
        error = next(error for error in reply.json["errors"] if "did you mean 'outcome'?" in error["message"])
        assert (error["line"], error["column"]) == (4, 12)


async def test_taken_ids_and_keys_are_409(api: Api):
    assert (await api.post("/v1/tenants", {"id": "one"})).status == 201
    reply = await api.post("/v1/tenants", {"id": "one"})
    assert (reply.status, set(reply.errors)) == (409, {"/id"})
    reply = await api.post("/v1/tenants", {"id": "two", "credentials": {"nxcloud": {"appkey": "nx-appkey"}}})
    assert (reply.status, set(reply.errors)) == (409, {"/credentials"})
    assert (await api.get("/v1/tenants/two")).status == 404
    reply = await api("PATCH", "/v1/tenants/one", {"credentials": {"infin8linx": {"appid": "in8-appid"}}})
    assert reply.status == 409
    yaml = "name: thief\nproviders:\n  nxcloud:\n    credentials: {appkey: nx-appkey}\n"
    assert (await api("PUT", "/v1/tenants/one/scenario", data=yaml, headers=YAML)).status == 409
    assert (await api.get("/v1/tenants/one")).json["scenario"] == "happy-path"


async def test_tenants_are_listed_in_pages(api: Api):
    for number in range(5):
        await api.post("/v1/tenants", {"id": f"t{number}"})
    first = (await api.get("/v1/tenants", limit=3)).json
    assert [tenant["id"] for tenant in first["tenants"]] == ["default", "t0", "t1"]
    second = (await api.get("/v1/tenants", limit=3, after=first["next"])).json
    assert [tenant["id"] for tenant in second["tenants"]] == ["t2", "t3", "t4"]
    assert second["next"] is None
    assert (await api.get("/v1/tenants", after="gone")).status == 409


async def test_patch_merges_and_null_removes(api: Api):
    async def patch(**body):
        reply = await api("PATCH", T, body)
        assert reply.status == 200
        return reply.json

    before = (await api.get(T)).json
    changed = await patch(callback_urls={"nxcloud": "http://127.0.0.1:1/a"}, seed=5)
    assert changed["seed"] == 5
    assert changed["callback_urls"] == {**before["callback_urls"], "nxcloud": "http://127.0.0.1:1/a"}
    changed = await patch(callback_urls={"nxcloud": None})
    assert "nxcloud" not in changed["callback_urls"]
    assert changed["callback_urls"]["infin8linx"]
    assert (await patch(callback_urls=None))["callback_urls"] == {}

    changed = await patch(
        credentials={"nxcloud": {"appkey": "mine"}}, settings={"nxcloud": {"tariff": {"cycle": 6}}}
    )
    assert changed["credentials"]["nxcloud"]["appkey"] == "mine"
    assert changed["credentials"]["nxcloud"]["secretkey"] == "nx-secretkey"
    assert changed["settings"]["nxcloud"]["tariff"]["cycle"] == 6
    assert (
        changed["settings"]["nxcloud"]["tariff"]["price"] == before["settings"]["nxcloud"]["tariff"]["price"]
    )
    changed = await patch(credentials={"nxcloud": {"appkey": None}}, settings=None, seed=None)
    assert changed["credentials"] == before["credentials"]
    assert changed["settings"] == before["settings"]
    assert changed["seed"] == 1
    changed = await patch(credentials={"nxcloud": {"appkey": "mine"}})
    assert (await patch(credentials=None))["credentials"] == before["credentials"]


async def test_what_patch_set_survives_a_change_of_scenario(api: Api):
    await api("PATCH", T, {"seed": 5, "callback_urls": {"nxcloud": "http://127.0.0.1:1/a"}})
    yaml = "name: other\nseed: 9\nproviders:\n  nxcloud: {callback_url: 'http://127.0.0.1:2/b'}\n"
    tenant = (await api("PUT", f"{T}/scenario", data=yaml, headers=YAML)).json
    assert (tenant["seed"], tenant["callback_urls"]["nxcloud"]) == (5, "http://127.0.0.1:1/a")


async def test_a_receiver_of_the_scenario_can_be_removed(api: Api):
    yaml = "name: other\nproviders:\n  nxcloud: {callback_url: 'http://127.0.0.1:2/b'}\n"
    tenant = (await api.post("/v1/tenants", {"scenario_yaml": yaml})).json
    assert tenant["callback_urls"] == {"nxcloud": "http://127.0.0.1:2/b"}
    changed = await api("PATCH", f"/v1/tenants/{tenant['id']}", {"callback_urls": {"nxcloud": None}})
    assert changed.json["callback_urls"] == {}


async def test_patch_changes_all_or_nothing(api: Api):
    reply = await api("PATCH", T, {"seed": 5, "settings": {"nxcloud": {"nothing": 1}}})
    assert reply.status == 422
    assert (await api.get(T)).json["seed"] == 1
    reply = await api("PATCH", T, {"scenario": "all-busy", "clok": 1})
    assert set(reply.errors) == {"/scenario", "/clok"}
    assert (await api("PATCH", T)).status == 422


async def test_a_blocked_target_is_accepted_and_its_pushes_are_blocked(api: Api):
    reply = await api("PATCH", T, {"callback_urls": {"nxcloud": "http://169.254.169.254/latest"}})
    assert reply.status == 200
    await api.dial(BUSY)
    done = (await api.post(f"{T}/clock/advance", {"to": "idle"})).json
    assert [push["outcome"] for push in done["callbacks"]] == ["blocked"]


async def test_deleting(api: Api):
    tenant = (await api.post("/v1/tenants", {"id": "short-lived", "clock": "manual"})).json
    keys = tenant["credentials"]["nxcloud"]
    assert (await api.dial(BUSY, credentials=keys))["code"] == "0"
    reply = await api("DELETE", "/v1/tenants/short-lived")
    assert (reply.status, reply.text) == (204, "")
    assert (await api.get("/v1/tenants/short-lived")).status == 404
    assert (await api("DELETE", "/v1/tenants/short-lived")).status == 404
    assert (await api.dial(BUSY, credentials=keys))["code"] != "0"
    reply = await api("DELETE", T)
    assert (reply.status, "always exists" in reply.json["detail"]) == (409, True)
    again = (await api.post("/v1/tenants", {"id": "short-lived"})).json
    assert again["credentials"]["nxcloud"]["appkey"] == keys["appkey"]


async def test_loading_a_scenario_by_name_as_yaml_and_as_json(api: Api):
    document = {"name": "as-json", "rules": [{"name": "r", "call": {"outcome": "busy"}}]}
    assert (await api("PUT", f"{T}/scenario", {"name": "all-busy"})).json["scenario"] == "all-busy"
    assert (await api("PUT", f"{T}/scenario", document)).json["scenario"] == "as-json"
    await api.dial(ANSWERED[:-4] + "9999")
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    assert (await api.get(f"{T}/calls")).json["calls"][0]["outcome"] == "busy"
    text = "name: as-yaml\nrules: []\n"
    for kind in (
        "application/yaml",
        "text/yaml",
        "application/x-yaml",
        "application/x-www-form-urlencoded",
        "text/plain",
    ):
        reply = await api("PUT", f"{T}/scenario", data=text, headers={"Content-Type": kind})
        assert reply.json["scenario"] == "as-yaml", kind


async def test_an_invalid_scenario_changes_nothing(api: Api):
    for reply in (
        await api("PUT", f"{T}/scenario", {"name": "hapy-path"}),
        await api("PUT", f"{T}/scenario", {"name": 5}),
        await api("PUT", f"{T}/scenario", {}),
        await api("PUT", f"{T}/scenario", {"rules": [], "nmae": "x"}),
        await api("PUT", f"{T}/scenario", data="name: x\nrules: [1]\n", headers=YAML),
        await api("PUT", f"{T}/scenario", data="", headers=YAML),
    ):
        assert reply.status == 422, reply.text
        assert reply.errors
    assert (await api("PUT", f"{T}/scenario", data=b"\xff", headers=YAML)).status == 400
    assert (await api.get(T)).json["scenario"] == "happy-path"


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a]\n" for n in range(9)),
        "x: " + "[" * 5000,
        "!!python/object/apply:os.system ['true']",
        "name: \x00",
    ],
)
async def test_hostile_yaml_is_refused_quickly(api: Api, text: str):
    assert (await api("PUT", f"{T}/scenario", data=text, headers=YAML)).status == 422


async def test_reset_forgets_what_happened_and_keeps_the_configuration(api: Api):
    await api("PATCH", T, {"seed": 5})
    await api.dial(BUSY, ANSWERED)
    await api.post(f"{T}/clock/advance", {"seconds": 1})
    reply = await api.post(f"{T}/reset")
    assert reply.status == 200
    assert (reply.json["seed"], reply.json["now"]) == (5, "2026-01-05T01:00:00.000000+00:00")
    assert (await api.get(f"{T}/calls")).json["calls"] == []
    assert (await api.get(f"{T}/callbacks")).json["callbacks"] == []
    assert (await api.get(f"{T}/journal")).json["entries"] == []
    assert (await api.post(f"{T}/clock/advance", {"to": "idle"})).json["fired"] == 0


async def test_reset_to_the_start_restores_scenario_and_configuration(api: Api):
    created = (
        await api.post("/v1/tenants", {"id": "x", "scenario": "all-busy", "seed": 4, "clock": "manual"})
    ).json
    for path, first in ((T, (await api.get(T)).json), ("/v1/tenants/x", created)):
        await api("PATCH", path, {"seed": 8, "credentials": {"nxcloud": {"appkey": f"other{len(path)}"}}})
        await api("PUT", f"{path}/scenario", {"name": "bad-evening"})
        await api.post(f"{path}/clock/advance", {"seconds": 60})
        restored = (await api.post(f"{path}/reset?to=start")).json
        assert restored == {**first, "callback_urls": restored["callback_urls"]}
    assert (await api.post(f"{T}/reset?to=begin")).status == 422


async def test_the_start_cannot_be_had_back_when_somebody_else_has_the_keys(api: Api):
    await api("PATCH", T, {"credentials": {"nxcloud": {"appkey": "moved"}}})
    await api.post("/v1/tenants", {"id": "heir", "credentials": {"nxcloud": {"appkey": "nx-appkey"}}})
    assert (await api.post(f"{T}/reset?to=start")).status == 409
    assert (await api.get(T)).json["credentials"]["nxcloud"]["appkey"] == "moved"


async def test_a_scenario_with_another_clock_switches_a_tenant_created_without_one():
    async with started(clock="real") as emu:
        api = Api(emu)
        tenant = (await api.post("/v1/tenants", {"id": "free"})).json
        manual = (
            await api("PUT", "/v1/tenants/free/scenario", data="name: m\nclock: manual\n", headers=YAML)
        ).json
        assert (tenant["clock"], manual["clock"]) == ("real", "manual")
        await api.post("/v1/tenants", {"id": "bound", "clock": "real"})
        kept = (
            await api("PUT", "/v1/tenants/bound/scenario", data="name: m\nclock: manual\n", headers=YAML)
        ).json
        assert kept["clock"] == "real"
