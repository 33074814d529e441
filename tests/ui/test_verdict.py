from __future__ import annotations

from playwright.async_api import expect

from tests.rig import started
from tests.ui.page import GPSEND, MARKS, dial, opened

pytestmark = MARKS

NUMBERS = ("6281200010000", "6281200010486", "6281200010480")


async def test_a_clean_run_is_called_clean(emu, page):
    await dial(emu, *NUMBERS)
    await emu.settle()
    await page.open("/default/verdict")
    await expect(page(".tile.first")).to_contain_text("No contract violation")
    await expect(page(".tile").nth(2)).to_have_text("3numbers accepted")
    await expect(page(".card[aria-label=Findings]")).to_contain_text("None")
    await expect(page(".share")).to_have_attribute("aria-label", "3 acknowledged")
    await expect(page(".card[aria-label=Conservation]")).to_contain_text("the 3 accepted numbers")


async def test_findings_and_orphans_lead_to_their_calls(emu, page):
    emu.receiver.answer(200, "OK")
    await dial(emu, *NUMBERS)
    await emu.settle()
    await page.open("/default/verdict")
    await expect(page(".tile.first")).to_contain_text("Contract violations")
    await expect(page(".tile").last).to_have_text("3orphans")
    await page("summary").filter(has_text="Orphans").click()
    for number in NUMBERS:
        await expect(page(".links")).to_contain_text(number)
    group = page(".findings [data-rule=push-not-acknowledged]")
    await expect(group).to_contain_text("3×")
    await expect(group).to_contain_text("How to fix it: Reply exactly what the page says")
    await group.locator("summary").click()
    await group.get_by_role("link", name="the call").first.click()
    await expect(page("#detail h2")).to_have_text("6281200010486")  # busy at once, so pushed first


async def test_charts_tell_their_numbers_and_filter(emu, page):
    await dial(emu, *NUMBERS)
    await emu.settle()
    await page.open("/default/verdict")
    outcomes = page(".chart").filter(has_text="Calls by outcome")
    await expect(outcomes.locator("svg").first).to_have_attribute("aria-label", "answered: 1")
    await expect(outcomes).to_contain_text("33.3 %")
    pushes = page(".chart").filter(has_text="Pushes per second")
    await expect(pushes.locator("svg")).to_have_attribute(
        "aria-label", "Pushes per second: delivered, and in red not delivered: at most 1 pushes per second"
    )
    await expect(pushes.locator("rect.good")).to_have_count(3)
    late = page(".chart").filter(has_text="Lateness")
    await expect(late.locator("svg")).to_have_attribute(
        "aria-label",
        "Lateness: from the end of a call to its first push, while this page is open: at most 3 calls",
    )
    await outcomes.get_by_role("link", name="busy").click()
    await page.total("1 of 3")
    assert await page.place() == "/default/calls?q=outcome%3Abusy"


async def test_coverage_says_what_was_never_met(emu, page):
    await dial(emu, *NUMBERS)
    await emu.settle()
    await page.open("/default/verdict")
    await page("summary").filter(has_text="Outcomes").click()
    shown = page("details[data-name=Outcomes]")
    await expect(shown).to_contain_text("Exercised: answered 1×, no_answer 1×, busy 1×")
    await expect(shown).to_contain_text("Never: rejected, unreachable")
    await expect(shown.locator("summary")).to_contain_text("3/9")


async def test_rules_that_never_applied_are_named(browser):
    scenario = (
        "name: own\nrules:\n  - name: for nobody\n    match: {number: '999*'}\n    call: {outcome: busy}\n"
    )
    async with started(scenario) as emu, opened(browser, emu.control) as page:
        await dial(emu, NUMBERS[0])
        await page.open("/default/verdict")
        await page("summary").filter(has_text="Rules that never applied").click()
        await expect(page("details[data-name='Rules that never applied'] li")).to_contain_text("for nobody")


async def test_verdict_follows_what_happens_and_keeps_open_what_was_opened(emu, page):
    await page.open("/default/verdict")
    await expect(page(".tile").nth(1)).to_have_text("0requests")
    await page("summary").filter(has_text="Faults").click()
    form = {**GPSEND, "secretkey": "wrong", "phone": NUMBERS[0]}
    async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form):
        pass
    await dial(emu, NUMBERS[0])
    await expect(page(".tile").nth(1)).to_have_text("2requests")
    await expect(page("details[data-name=Faults]")).to_have_attribute("open", "")
    await expect(page("details[data-name=Faults] summary")).to_be_focused()


async def test_the_report_is_offered_as_files_and_as_curl(emu, page):
    await page.open("/default/verdict")
    for name in (
        "report?format=json",
        "report?format=junit",
        "report?format=html",
        "report?format=markdown",
        "har",
    ):
        address = await page(f"a[href='/v1/tenants/default/{name}']").get_attribute("href")
        async with emu.client.get(f"{emu.control}{address}") as reply:
            assert reply.status == 200
    await page.press("c")
    await expect(page("dialog").get_by_text("The report as JUnit XML")).to_be_visible()
