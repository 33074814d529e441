from __future__ import annotations

import re

from playwright.async_api import expect

from tests.rig import START, started
from tests.ui.page import MARKS, dial, get, opened
from voice_emulator.core.clock import ClockSpec

pytestmark = MARKS

NUMBER = "6281200010000"
TENANT = "/v1/tenants/default"


def card(page, title):
    return page(f".card[aria-label='{title}']")


async def test_the_clock_is_advanced_by_steps(emu, page):
    await dial(emu, NUMBER)
    await page.open("/default/bend")
    clock = card(page, "Clock")
    await expect(clock.locator(".big")).to_have_text("2026-01-05 01:00:00")
    await page.button("To the next thing due").click()
    await expect(clock.locator("[role=status]")).to_contain_text("3 s passed")
    await expect(clock.locator("[role=status]")).to_contain_text("Next thing due at 01:00:13")
    await page.button("+ 1 min").click()
    await expect(clock.locator(".big")).to_have_text("2026-01-05 01:01:03")
    await expect(clock.locator("[role=status]")).to_contain_text("pushes 1. Nothing is pending.")
    await page.tab.get_by_label("Seconds to advance").fill("7")
    await page.button("Advance by so many seconds").click()
    await expect(clock.locator(".big")).to_have_text("2026-01-05 01:01:10")
    await dial(emu, NUMBER)
    await page.button("Until idle").click()
    await expect(clock.locator(".big")).to_have_text("2026-01-05 01:01:23")
    await expect(page("#clock")).to_have_text("01:01:23 UTC")
    assert len(emu.receiver.received) == 2


async def test_a_real_clock_says_why_it_cannot_be_advanced(browser):
    async with started(clock=ClockSpec("real")) as emu, opened(browser, emu.control) as page:
        await page.open("/default/bend")
        await expect(card(page, "Clock")).to_contain_text("Only a manual clock can be advanced")
        await page.button("Create a tenant with a manual clock").click()
        await expect(page("dialog").get_by_label("Clock", exact=True)).to_have_value("manual")


async def test_a_shipped_scenario_is_picked_and_loaded(emu, page):
    await page.open("/default/bend")
    await expect(page("#scenario-text")).to_have_value(re.compile("name: happy-path"))
    await page("#scenario-picker").select_option("all-busy")
    await expect(page("#scenario-text")).to_have_value(re.compile("name: all-busy"))
    await page.button("Load").click()
    await expect(page("#scenario")).to_have_text("all-busy")
    assert emu.tenant.scenario.name == "all-busy"


async def test_a_scenario_is_written_and_its_mistakes_stand_beside_their_lines(emu, page):
    await page.open("/default/bend")
    editor = page("#scenario-text")
    await expect(editor).to_have_value(re.compile("name: happy-path"))
    await editor.fill(
        "name: mine\nrules:\n  - name: one\n    call: {outcom: busy}\n  - name: two\n    call: {outcome: bussy}\n"
    )
    await page.button("Put in force").click()

    findings = page("#scenario-findings li")
    await expect(findings.first).to_contain_text("Line 4")
    await expect(page(".note").first).to_contain_text("outcom")
    await expect(page(".gutter .wrong")).to_have_text(["4", "6"])
    await expect(editor).to_have_attribute("aria-invalid", "true")
    assert emu.tenant.scenario.name == "happy-path"
    note, line = await page(".note").first.bounding_box(), await page(".gutter .wrong").first.bounding_box()
    assert abs(note["y"] - line["y"]) < 3

    await findings.last.get_by_role("button").click()
    await expect(editor).to_be_focused()
    position = await editor.evaluate(
        "(editor) => editor.value.slice(0, editor.selectionStart).split('\\n').length"
    )
    assert position == 6

    await editor.fill("name: mine\nrules:\n  - name: one\n    call: {outcome: busy}\n")
    await editor.press("Control+Enter")
    await expect(page("#toasts")).to_contain_text("mine is in force")
    await expect(findings).to_have_count(0)
    await expect(editor).to_have_value(re.compile("name: mine"))
    assert emu.tenant.scenario.name == "mine"


async def test_a_scenario_loaded_elsewhere_is_shown_unless_somebody_writes(emu, page):
    await page.open("/default/bend")
    editor = page("#scenario-text")
    await expect(editor).to_have_value(re.compile("name: happy-path"))
    async with emu.client.put(f"{emu.control}{TENANT}/scenario", json={"name": "all-busy"}):
        await expect(editor).to_have_value(re.compile("name: all-busy"))
    await editor.fill("name: half-written")
    async with emu.client.put(f"{emu.control}{TENANT}/scenario", json={"name": "cold-list"}):
        await expect(page("#scenario")).to_have_text("cold-list")
    await expect(editor).to_have_value("name: half-written")
    await page.button("Back to what is in force").click()
    await expect(editor).to_have_value(re.compile("name: cold-list"))


async def test_a_call_is_placed_at_every_provider(emu, page):
    await page.open("/default/bend")
    operation = page.tab.get_by_label("Operation")
    await expect(operation.locator("option")).to_have_count(7)
    for index in range(7):
        await operation.select_option(index=index)
        await page.button("Place the call").click()
        await expect(card(page, "Place a test call").locator("[role=status] a")).to_have_count(2)
        await expect(page.tab.get_by_role("region", name="Reply to")).to_contain_text("HTTP 200")
        assert len(list(emu.tenant.ledger)) == index + 1
    await page("[role=status] a").first.click()
    await expect(page("#detail h2")).to_have_text(NUMBER)
    assert {call.provider for call in emu.tenant.ledger} == {"nxcloud", "huawei_cec", "infin8linx"}


async def test_a_test_call_ends_as_was_chosen_and_with_the_fields_that_were_typed(emu, page):
    await page.open("/default/bend")
    await page.tab.get_by_label("Operation").select_option("nxcloud · gpsend")
    await page.tab.get_by_label("Ends").select_option(label="busy (…0486)")
    await expect(page.tab.get_by_label("Number", exact=True)).to_have_value("6281200010486")
    await page.tab.get_by_text("Fields of the request", exact=True).click()
    fields = page.tab.get_by_label("Fields of the request as JSON")
    await fields.fill('{"country_code": "62", "url": "https://nxcloud.com/1963370420.m4a", "show_phone": ')
    await page.button("Place the call").click()
    await expect(card(page, "Place a test call")).to_contain_text("The fields are no JSON")
    await fields.fill(
        '{"country_code": "62", "url": "https://nxcloud.com/1963370420.m4a", "show_phone": "777"}'
    )
    await page.button("Place the call").click()
    await expect(card(page, "Place a test call")).to_contain_text("Placed:")
    await emu.settle()
    [call] = (await get(emu, f"{TENANT}/calls"))["calls"]
    assert (call["outcome"], call["caller"]) == ("busy", "777")


async def test_tenants_are_created_switched_and_deleted(emu, page):
    await page.open("/default/bend")
    await page.button("New…").click()
    await page("dialog").get_by_label("Id", exact=True).fill("team-b")
    await page("dialog").get_by_label("Scenario").select_option("all-busy")
    await page("dialog").get_by_label("Seed").fill("7")
    await page("dialog").get_by_label("Clock", exact=True).fill("60x")
    await page.button("Create").click()
    await expect(page("#tenant")).to_have_value("team-b")
    await expect(page("#scenario")).to_have_text("all-busy")
    await expect(page("#clock-mode")).to_have_text("Clock 60x")
    created = emu.emulator.runtime.tenancy.get("team-b")
    assert (created.seed, created.scenario.name) == (7, "all-busy")

    await page.button("New…").click()
    await page("dialog").get_by_label("Id", exact=True).fill("team-b")
    await page.button("Create").click()
    await expect(page("dialog [role=alert]")).to_contain_text("team-b")
    await page.press("Escape")

    await page("#tenant").select_option("default")
    await expect(page("#scenario")).to_have_text("happy-path")
    await page("#tenant").select_option("team-b")
    await page.button("Delete…").click()
    await page("dialog").get_by_role("button", name="Delete").click()
    await expect(page("#tenant")).to_have_value("default")
    await expect(page("#tenant option")).to_have_count(1)
    assert emu.emulator.runtime.tenancy.get("team-b") is None


async def test_credentials_are_copied(page):
    await page.open("/default/bend")
    for label, value in (
        ("nxcloud secretkey", "nx-secretkey"),
        ("nxcloud agent.username", "nx-agent"),
        ("huawei_cec app_secret", "cec-app-secret"),
    ):
        await page.button(f"Copy {label}").click()
        await expect(page("#toasts").get_by_text("Copied").first).to_be_visible()
        assert await page.clipboard() == value


async def test_receivers_are_changed(emu, page):
    await page.open("/default/bend")
    await page.tab.get_by_label("nxcloud", exact=True).fill("http://127.0.0.1:9/elsewhere")
    await page.tab.get_by_label("nxcloud_cdr").fill("")
    await page.button("Save receivers").click()
    await expect(page("#toasts")).to_contain_text("Receivers saved")
    assert emu.tenant.callback_urls["nxcloud"] == "http://127.0.0.1:9/elsewhere"
    assert "nxcloud_cdr" not in emu.tenant.callback_urls
    assert emu.tenant.callback_urls["infin8linx"] == f"{emu.receiver.url}/infin8linx"


async def test_reset_asks_first(emu, page):
    await dial(emu, NUMBER)
    await emu.advance("1h")
    await page.open("/default/bend")
    await page.button("Reset…").click()
    await page.press("Escape")
    assert len(list(emu.tenant.ledger)) == 1
    await page.button("Reset…").click()
    await page("dialog").get_by_role("button", name="Reset").click()
    await expect(page("#clock")).to_have_text("01:00:00 UTC")
    assert list(emu.tenant.ledger) == []
    assert emu.tenant.now == START


async def test_back_to_the_start_takes_the_scenario_along(emu, page):
    await page.open("/default/bend")
    await expect(page("#scenario-text")).to_have_value(re.compile("happy-path"))
    async with emu.client.put(f"{emu.control}{TENANT}/scenario", json={"name": "all-busy"}):
        await expect(page("#scenario")).to_have_text("all-busy")
    await page.button("Back to the start…").click()
    await page("dialog").get_by_role("button", name="Reset").click()
    await expect(page("#scenario")).to_have_text("happy-path")


async def test_what_bend_does_is_offered_as_curl(page):
    await page.open("/default/bend")
    await expect(page("#scenario-text")).to_have_value(re.compile("happy-path"))
    await page.press("c")
    for label in (
        "Place this test call",
        "Advance to the next thing due",
        "Load a shipped scenario",
        "Put the YAML in force",
        "Create a tenant",
        "Set a receiver",
        "Reset",
    ):
        await expect(page("dialog").get_by_text(label, exact=True)).to_be_visible()
