from __future__ import annotations

import asyncio
import os

from playwright.async_api import expect

from tests.rig import START, started
from tests.ui.page import GPSEND, MARKS, dial, get, opened
from voice_emulator.core.clock import ClockSpec

pytestmark = MARKS

NUMBER = "6281200010000"


async def first_call(emu):
    return (await get(emu, "/v1/tenants/default/calls"))["calls"][0]


async def test_a_call_is_told_whole(emu, page):
    await dial(emu, NUMBER)
    await emu.settle()
    call = await first_call(emu)
    await page.open(f"/default/calls/{call['id']}")

    facts = page("article > .facts")
    for shown in (
        "0:10",
        "0.036",
        "1 × 60 s at 0.036",
        "NORMAL_CLEARING",
        call["rule"],
        "gpsend",
        call["provider_id"],
    ):
        await expect(facts).to_contain_text(shown)

    lane = page(".lane svg")
    await expect(lane).to_have_attribute("aria-label", "Timeline: submitted 01:00:00, dialled 01:00:00, ringing 01:00:00, "
                                         "answered 01:00:03, ended 01:00:13, push delivered 01:00:13")  # fmt: skip
    await expect(lane.locator("text.inside")).to_have_text(["ringing 3 s", "talking 10 s"])
    await expect(lane.locator("circle.push.good")).to_have_count(1)

    await expect(page("details.push summary")).to_contain_text("delivered")
    meaning = page(".fields tr:has(th:text-is('hangup_cause')) td")
    await expect(meaning.first).to_have_text("NORMAL_CLEARING")
    await expect(meaning.last).to_contain_text("cause")
    await expect(page(".fields")).to_contain_text("Documented in: Voice Receipt Callback")
    sent = page.tab.get_by_role("region", name="Push as sent")
    await expect(sent).to_contain_text(f"{emu.receiver.url}/nxcloud?phone={NUMBER}")
    await expect(page.tab.get_by_role("region", name="Answer of the receiver")).to_contain_text(
        "HTTP 200\n\nsuccess"
    )

    asked = page.tab.get_by_role("region", name="Request as received")
    await expect(asked).to_contain_text("POST /api/voiceSms/gpsend")
    await expect(asked).to_contain_text(f"phone={NUMBER}")
    await expect(asked).to_contain_text("secretkey=***")
    await expect(page.tab.get_by_role("region", name="Reply as sent")).to_contain_text(
        '"result": "Request succeeded"'
    )
    await expect(page(".steps li b")).to_have_text(
        ["submitted", "dialled", "ringing", "answered", "ended", "callback"]
    )


async def test_the_lane_grows_with_the_call(emu, page):
    await dial(emu, NUMBER)
    call = await first_call(emu)
    await page.open(f"/default/calls/{call['id']}")
    await expect(page(".lane")).to_contain_text("the receipt follows the end of the call")
    await expect(page("#detail .pill").first).to_have_text("ringing")
    await emu.advance("5s")
    await expect(page("#detail .pill").first).to_have_text("talking")
    await emu.settle()
    await expect(page("#detail .pill").first).to_have_text("answered")
    await expect(page("circle.push")).to_have_count(1)


async def test_the_request_can_be_repeated_with_curl(emu, page):
    await dial(emu, NUMBER)
    await emu.settle()
    await page.open(f"/default/calls/{(await first_call(emu))['id']}")
    await page.button("Copy as curl: Request as received").click()
    await expect(page("#toasts")).to_contain_text("Copied")
    command = await page.clipboard()
    assert command.startswith("curl -sS ")
    assert "***" not in command
    assert "nx-secretkey" not in command
    await expect(page("#detail")).to_contain_text("Set $SECRETKEY before you run")

    assert '"code":"0"' in await run(command, SECRETKEY="nx-secretkey")
    await page.total("2 calls")
    calls = (await get(emu, "/v1/tenants/default/calls"))["calls"]
    assert [call["number"] for call in calls] == [NUMBER, NUMBER]


async def run(command: str, **variables: str) -> str:
    """What a shell says to a command line; the emulator serves meanwhile, in this very loop."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", command, stdout=asyncio.subprocess.PIPE, env={**os.environ, **variables}
    )
    said, _ = await process.communicate()
    return said.decode()


async def test_the_receipt_can_be_pushed_again(emu, page):
    await dial(emu, NUMBER)
    await emu.settle()
    await page.open(f"/default/calls/{(await first_call(emu))['id']}")
    emu.receiver.answer_once(503, "busy")
    await page.button("Push again").click()
    await expect(page("#toasts")).to_contain_text("Pushed: refused 503")
    await expect(page("details.push")).to_have_count(2)
    await expect(page("details.push .pill").last).to_have_text("refused")
    await page("#detail h2").focus()
    await page.press("p")
    await expect(page("details.push")).to_have_count(3)
    assert len(emu.receiver.received) == 3


async def test_rule_and_findings_are_shown_and_lead_to_the_journal(emu, page):
    emu.receiver.answer(200, "OK")
    await dial(emu, NUMBER)
    await emu.settle()
    await page.open(f"/default/calls/{(await first_call(emu))['id']}")
    finding = page(".findings li").filter(has_text="push-not-acknowledged")
    await expect(finding).to_contain_text("Stated in: Voice Receipt Callback")
    await finding.get_by_role("link", name="entry").click()
    await expect(page("#detail h2")).to_contain_text("Entry ")
    await expect(page("#detail .tag")).to_have_text("callback")
    await expect(page(".findings")).to_contain_text("push-not-acknowledged")


async def test_a_refused_request_has_an_address_too(emu, page):
    form = {**GPSEND, "secretkey": "wrong", "phone": "x"}
    async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form) as reply:
        assert reply.status == 200
    await page.open("/default/calls/entry/1")
    await expect(page("#detail h2")).to_have_text("gpsend")
    await expect(page(".problems li").first).to_contain_text("secretkey")
    await expect(page.tab.get_by_role("region", name="Request as received")).to_contain_text("phone=x")


async def test_several_pushes_are_numbered_along_the_lane(browser):
    scenario = "name: twice\nrules:\n  - name: doubled\n    receipt: {copies: 2, gap: 90s}\n"
    async with (
        started(scenario, ClockSpec("manual", start=START)) as emu,
        opened(browser, emu.control) as page,
    ):
        await dial(emu, NUMBER)
        await emu.settle()
        await page.open(f"/default/calls/{(await first_call(emu))['id']}")
        await expect(page("circle.push")).to_have_count(2)
        await expect(page("text.in-push")).to_have_text(["1", "2"])
        await expect(page("details.push")).to_have_count(2)
        await expect(page("details.push").last).to_have_attribute("open", "")
        await expect(page("details.push .facts").last).to_contain_text("doubled")


async def test_requests_and_pushes_are_offered_as_curl(emu, page):
    await dial(emu, NUMBER)
    await emu.settle()
    call = await first_call(emu)
    await page.open(f"/default/calls/{call['id']}?q=outcome%3Aanswered")
    await expect(page("details.push")).to_have_count(1)
    await page("#curl").click()
    dialog = page("dialog")
    for label in (
        "This list of calls",
        "The live stream",
        "This call",
        "Its pushes",
        "Push its receipt again",
        "gpsend, again",
        "Why it went so",
    ):
        await expect(dialog.get_by_text(label, exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Copy curl: This list of calls").click()
    listed = await run(await page.clipboard())
    assert call["id"] in listed
    await dialog.get_by_role("button", name="Copy curl: Push its receipt again").click()
    assert '"outcome": "delivered"' in await run(await page.clipboard())
    assert len(emu.receiver.received) == 2
    # What the page itself asked is there as well, and can be run.
    own = dialog.locator(".block").filter(has_text=f"call_id={call['id']}")
    await expect(own.first).to_be_visible()


async def test_the_copies_of_a_receipt_are_told_apart(emu, page):
    scenario = "name: twice\nrules:\n  - receipt: {copies: 2, gap: 1m}\n"
    yaml = {"Content-Type": "application/yaml"}
    async with emu.client.put(
        f"{emu.control}/v1/tenants/default/scenario", data=scenario, headers=yaml
    ) as reply:
        assert reply.status == 200
    await dial(emu, NUMBER)
    await emu.settle()
    await page.open(f"/default/calls/{(await first_call(emu))['id']}")
    await expect(page("details.push summary .grow")).to_have_text(
        ["group, copy 1 of 2, attempt 1 → 200", "group, copy 2 of 2, attempt 1 → 200"]
    )
    for number in (1, 2):
        await expect(page("svg title").filter(has_text=f"copy {number} of 2")).to_have_count(1)


async def test_an_entry_that_never_was_is_told_from_one_that_is_gone(emu, page):
    await dial(emu, NUMBER)
    await emu.settle()
    journal = emu.tenant.journal
    journal._entries.popleft()  # as the limits of the journal would, after 20,000 more
    await page.open("/default/requests/1")
    await expect(page("#detail .empty")).to_have_text("The journal no longer keeps this entry.")
    await page.open("/default/requests/999")
    await expect(page("#detail .empty")).to_have_text("There is no such entry.")
