"""Whatever a client, a receiver or a scenario says is shown as text, and nothing of it ever runs."""

from __future__ import annotations

import json

from playwright.async_api import expect

from tests.rig import started
from tests.ui.page import GPSEND, MARKS, Page, dial, get, opened

pytestmark = MARKS

EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\'"`${1}javascript:alert(1)'
_QUOTED = json.dumps(EVIL.replace("${", "$${"))
SCENARIO = f"""name: hostile
description: {_QUOTED}
rules:
  - name: {_QUOTED}
    call: {{outcome: answered, ring: 1s, talk: 1s}}
  - name: receipts
    receipt: {{set: {{hangup_cause: {_QUOTED}}}}}
"""


async def unharmed(page: Page) -> None:
    """Nothing ran, and no element came from data."""
    assert await page.tab.evaluate("window.pwned") is None
    assert await page("img:not([src='/ui/icon.svg'], .cm-widgetBuffer)").count() == 0
    assert await page("script:not([src='/ui/app.js'])").count() == 0


async def test_hostile_data_is_text_everywhere(browser):
    async with started(SCENARIO, strict=False) as emu, opened(browser, emu.control) as page:
        emu.receiver.answer(200, EVIL, {"Content-Type": "text/html"})
        await dial(emu, "6281299999999", ext=EVIL)
        await emu.settle()
        form = {**GPSEND, "phone": EVIL, "secretkey": EVIL, EVIL: EVIL, "show_phone": "1"}
        async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form, headers={"User-Agent": EVIL}):
            pass
        async with emu.client.post(f"{emu.url}/nowhere?{EVIL}", data=EVIL):
            pass
        [call] = (await get(emu, "/v1/tenants/default/calls"))["calls"]

        await page.open(f"/default/calls/{call['id']}")
        await expect(page("details.push")).to_have_count(1)
        await expect(page("article > .facts")).to_contain_text(EVIL)
        await expect(page(".fields")).to_contain_text("hangup_cause")
        await expect(page.tab.get_by_role("region", name="Answer of the receiver")).to_contain_text("onerror")
        await expect(page(".grid-body .rule")).to_have_text(EVIL)
        await unharmed(page)

        for entry in (await get(emu, "/v1/tenants/default/journal?kind=request"))["entries"]:
            await page.open(f"/default/calls/entry/{entry['id']}")
            await expect(page(".exchange")).to_be_visible()
            await unharmed(page)

        await page.open("/default/verdict")
        await expect(page(".tiles")).to_be_visible()
        for summary in await page("summary").all():
            await summary.click()
        await unharmed(page)

        await page.open("/default/simulate")
        await page.scenario(".")
        assert await page("#scenario-editor").evaluate("(editor) => editor.value") == SCENARIO
        await page("#place-number").fill(EVIL)
        await page.button("Place the call").click()
        await expect(page(".card[aria-label='Place a test call']")).to_contain_text("No call was placed")
        await page.write(f"name: {EVIL}\n{EVIL}: 1\nrules: {EVIL}\n")
        await page.button("Put in force").click()
        await expect(page("#scenario-findings li").first).to_be_visible()
        await unharmed(page)


async def test_hostile_addresses_are_text(page):
    for place in (
        f"/default/calls?q={EVIL}",
        f"/{EVIL}/calls",
        f"/default/calls/{EVIL}",
        "/default/calls?q=number:%3Cimg%20src=x%3E",
        "/__proto__/constructor/toString",
    ):
        await page.tab.goto("about:blank")
        await page.tab.goto(f"{page.base}/#{place}")
        await expect(page("#connection")).not_to_have_text("connecting")
        await unharmed(page)


async def test_a_hostile_request_is_quoted_for_the_shell(emu, page):
    """What is copied as curl is one command, whatever the request holds."""
    marker = "$(touch pwned)`touch pwned`'; touch pwned; '"
    async with emu.client.post(
        f"{emu.url}/api/voiceSms/gpsend",
        data={**GPSEND, "phone": "1", "ext": marker},
        headers={"X-Odd": marker},
    ):
        pass
    await page.open("/default/calls/entry/1")
    await page.button("Copy as curl: Request as received").click()
    await expect(page("#toasts")).to_contain_text("Copied")
    command = await page.clipboard()
    # Outside of single quotes there is nothing that a shell would act on.
    # The variable of a masked secret stands in double quotes, and is ours.
    outside = command.replace('"$SECRETKEY"', "").replace("'\\''", "").split("'")[::2]
    assert not any(set(part) & set('$`;|&<>()\\"\n') for part in outside), outside


async def test_foreign_page_cannot_frame_it_or_act(emu):
    async with emu.client.get(emu.control + "/") as reply:
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    headers = {"Origin": "http://evil.example"}
    body = {"provider": "nxcloud", "number": "6281200010000"}
    async with emu.client.post(
        f"{emu.control}/v1/tenants/default/place", json=body, headers=headers
    ) as reply:
        assert reply.status == 403
    assert emu.tenant.journal.last_id == 0
