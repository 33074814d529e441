"""The list of requests: also those that were refused, and those that no provider serves."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import Any

from playwright.async_api import expect

from tests.rig import numbers
from tests.ui.page import GPSEND, MARKS, PHONE, dial, get, opened

pytestmark = MARKS

ANSWERED, BUSY = "6281200010000", "6281200010486"
TABS = "nav a[data-view=requests]"


async def send(emu, path: str = "/api/voiceSms/gpsend", **arguments: Any) -> str:
    async with emu.client.post(f"{emu.url}{path}", **arguments) as reply:
        return await reply.text()


async def test_a_wrong_key_is_seen_with_the_field_that_is_wrong(emu, page):
    await page.open("/default/requests")
    await expect(page(".empty")).to_contain_text("No requests yet")
    await expect(page(f"{TABS} .count")).to_have_count(0)

    await send(emu, data={**GPSEND, "appkey": "wrong", "phone": BUSY})
    await page.total("1 request")
    row = page(".grid-body .row")
    await expect(row.locator(".provider")).to_have_text("nxcloud")
    await expect(row.locator(".operation")).to_have_text("gpsend")
    await expect(row.locator(".status")).to_have_text("200")
    await expect(row.locator(".code .bad")).to_have_text("1")
    await expect(row.locator(".ms")).to_have_text(re.compile(r"^[0-9.]+$"))
    await expect(row.locator(".why")).to_contain_text("appkey: ")
    await expect(page(TABS)).to_have_text("Requests 1 refused")

    await row.click()
    await expect(page("#detail h2")).to_have_text("gpsend")
    why = page("[aria-label='Why it was refused']")
    await expect(why.locator(".problems li").first).to_contain_text("appkey")
    await expect(why.locator(".advice li").first).to_contain_text("Send appkey=nx-appkey")
    await expect(page.tab.get_by_role("region", name="Request as received")).to_contain_text(
        "appkey=wrong&secretkey=***"
    )
    await expect(page.tab.get_by_role("region", name="Reply as sent")).to_contain_text("HTTP/1.1 200")
    assert await page.place() == "/default/requests/1"


async def test_the_count_follows_on_every_tab_and_goes_with_a_reset(emu, page):
    await page.open("/default/verdict")
    await send(emu, "/nowhere")
    await send(emu, data={**GPSEND, "secretkey": "wrong", "phone": BUSY})
    await dial(emu, ANSWERED)
    await expect(page(f"{TABS} .count")).to_have_text("2")
    await page.tab.reload()
    await expect(page(f"{TABS} .count")).to_have_text("2")
    async with emu.client.post(f"{emu.control}/v1/tenants/default/reset"):
        await expect(page(f"{TABS} .count")).to_have_count(0)


async def test_whatever_is_known_of_a_request_finds_it(emu, page):
    messageid = json.loads(await send(emu, data={**GPSEND, "phone": BUSY, "ext": "order-4711"}))["messageid"]
    keys = {"app_key": "cec-app-key", "app_secret": "cec-app-secret"}
    token = json.loads(await send(emu, "/apigovernance/api/oauth/tokenByAkSk", json=keys))["AccessToken"]
    await send(
        emu, "/apiaccess/rest/voiceNotification/v2/createVoiceNotification",
        headers={"Authorization": f"Bearer {token}"}, json={"callerNo": "0755"},
    )  # fmt: skip
    await send(emu, "/nowhere")
    await page.open("/default/requests")
    await page.total("4 requests")
    for query, operations in {
        messageid: ["gpsend"], messageid[4:18].upper(): ["gpsend"], "order-4711": ["gpsend"], f"number:{BUSY}": ["gpsend"], "10486": ["gpsend"],
        token[-4:]: ["createVoiceNotification", "tokenByAkSk"], "outcome:refused": ["POST /nowhere", "createVoiceNotification"],
        "status:404": ["POST /nowhere"], "finding:unknown-path": ["POST /nowhere"], "has:finding path:/now*": ["POST /nowhere"],
        "code:0 provider:nxcloud": ["gpsend"], "operation:tokenByAkSk": ["tokenByAkSk"],
    }.items():  # fmt: skip
        await page.search(query)
        await page.total(f"{len(operations)} of 4")
        shown = await page(".grid-body .row .operation").all_text_contents()
        assert sorted(shown) == sorted(operations), query
        # The API gives the same answer.
        found = await emu.client.get(
            f"{emu.control}/v1/tenants/default/journal", params={"kind": "request", "q": query}
        )
        assert len((await found.json())["entries"]) == len(operations), query
    await page("#search").fill("outcme:refused")
    await expect(page("#search-error")).to_contain_text("did you mean “outcome”?")


async def test_the_curl_line_of_a_request_repeats_it(emu, page):
    await dial(emu, ANSWERED)
    await page.open("/default/requests/1")
    await page.button("Copy as curl: Request as received").click()
    await expect(page("#toasts")).to_contain_text("Copied")
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", await page.clipboard(), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "SECRETKEY": "nx-secretkey"},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert json.loads(said)["code"] == "0"
    await page.total("2 requests")


async def test_a_request_leads_to_its_calls_and_a_finding_to_its_request(emu, page):
    await dial(emu, ANSWERED)
    await send(emu, "/nowhere")
    await page.open("/default/requests/1")
    await page(".links a").first.click()
    await expect(page("#detail h2")).to_have_text(ANSWERED)
    await page.open("/default/verdict")
    group = page("[data-rule=unknown-path]")
    await group.get_by_role("link", name="show 1 request").click()
    await page.total("1 of 2")
    assert await page.place() == "/default/requests?q=finding%3Aunknown-path"


async def test_a_fault_and_the_rule_behind_a_refusal_are_named(emu, page):
    text = "name: s\nrules:\n  - name: gateway down\n    fault: {http_status: 503}\n"
    async with emu.client.put(
        f"{emu.control}/v1/tenants/default/scenario", data=text, headers={"Content-Type": "application/yaml"}
    ) as reply:
        assert reply.status == 200, await reply.text()
    await send(emu, data={**GPSEND, "phone": BUSY})
    await page.open("/default/requests/1")
    await expect(page(".problems").first).to_contain_text("gateway down")
    await expect(page(".advice")).to_contain_text("Nothing is wrong with the request")
    await page.button("Close (Escape)").click()
    await expect(page(".grid-body .fault")).not_to_be_empty()
    await expect(page.button("With a fault 1")).to_be_visible()


async def test_only_visible_rows_exist_and_the_keyboard_moves_through_them(emu, page):
    for start in range(0, 300, 1):
        await dial(emu, f"62812{start:06d}")
    await page.open("/default/requests")
    await page.total("300 requests")
    assert await page.rows.count() < 60
    await page.press("j", "j", "Enter")
    await expect(page("#detail h2")).to_be_focused()
    assert await page.place() == "/default/requests/299"
    await page.press("Escape")
    await expect(page(".grid")).to_be_focused()


async def test_a_batch_that_was_refused_is_found_by_any_of_its_numbers(emu, page):
    many = list(numbers(500))
    await send(emu, data={**GPSEND, "phone": ",".join(many)})
    await send(emu, "/nowhere")
    await page.open(f"/default/requests?q={many[-1]}")
    await page.total("1 of 2")
    await expect(page(".grid-body .numbers")).to_have_text("500 numbers")


async def test_row_shows_code_and_reason_on_a_phone(browser, emu):
    await send(emu, data={**GPSEND, "appkey": "wrong", "phone": BUSY})
    async with opened(browser, emu.control, viewport=PHONE) as page:
        await page.open("/default/requests")
        await expect(page(".grid-body .code")).to_be_visible()
        await expect(page(".grid-body .why")).to_contain_text("appkey")
        assert len((await get(emu, "/v1/tenants/default/journal?kind=request"))["entries"]) == 1
