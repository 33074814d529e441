from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from playwright.async_api import expect

from tests.rig import START, started
from tests.ui.page import MARKS, Page, dial, get, opened
from voice_emulator.core.clock import ClockSpec

pytestmark = MARKS

NUMBER = "6281200010000"
TENANT = "/v1/tenants/default"


def card(page, title):
    return page(f".card[aria-label='{title}']")


async def test_the_clock_is_advanced_by_steps(emu, page):
    await dial(emu, NUMBER)
    await page.open("/default/simulate")
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
        await page.open("/default/simulate")
        await expect(card(page, "Clock")).to_contain_text("Only a manual clock can be advanced")
        await page.button("Create a tenant with a manual clock").click()
        await expect(page("dialog").get_by_label("Clock", exact=True)).to_have_value("manual")


async def test_a_shipped_scenario_is_picked_and_put_in_force(emu, page):
    await page.open("/default/simulate")
    await page.scenario("name: happy-path")
    await expect(page("#scenario-state")).to_have_text("in force")
    await page("#scenario-picker").select_option("all-busy")
    await page.scenario("name: all-busy")
    await expect(page("#scenario-state")).to_have_text("not in force")
    await page.button("Put in force").click()
    await expect(page("#scenario")).to_have_text("all-busy")
    await expect(page("#scenario-state")).to_have_text("in force")
    chosen = page("#scenario-picker option:checked")
    await expect(chosen).to_have_text("all-busy")
    await expect(page("#scenario-picker option").filter(has_text="(in force)")).to_have_text(
        "all-busy (in force)"
    )
    assert emu.tenant.scenario.name == "all-busy"


async def test_a_scenario_is_written_and_its_mistakes_stand_beside_their_lines(emu, page):
    await page.open("/default/simulate")
    await page.scenario("name: happy-path")
    await page.write(
        "name: mine\nrules:\n  - name: one\n    call: {outcom: busy}\n  - name: two\n    call: {outcome: bussy}\n"
    )
    await page.button("Put in force").click()

    findings = page("#scenario-findings li")
    await expect(findings.first).to_contain_text("Line 4")
    await expect(page(".note").first).to_contain_text("outcom")
    await expect(page(".cm-lineNumbers .wrong")).to_have_text(["4", "6"])
    await expect(page.editor).to_have_attribute("aria-invalid", "true")
    assert emu.tenant.scenario.name == "happy-path"
    note = await page(".note").first.bounding_box()
    line = await page(".cm-lineNumbers .wrong").first.bounding_box()
    assert abs(note["y"] - line["y"]) < 6

    await findings.last.get_by_role("button").click()
    await expect(page.editor).to_be_focused()
    await expect(page(".cm-activeLine")).to_contain_text("bussy")

    await page.write("name: mine\nrules:\n  - name: one\n    call: {outcome: busy}\n")
    await expect(page(".note")).to_have_count(0)
    await page.editor.press("ControlOrMeta+Enter")
    await expect(page("#toasts")).to_contain_text("mine is in force")
    await expect(findings).to_have_count(0)
    await page.scenario("name: mine")
    await expect(page("#scenario-state")).to_have_text("in force")
    assert emu.tenant.scenario.name == "mine"


async def test_a_scenario_loaded_elsewhere_is_shown_unless_there_is_a_draft(emu, page):
    await page.open("/default/simulate")
    await page.scenario("name: happy-path")
    async with emu.client.put(f"{emu.control}{TENANT}/scenario", json={"name": "all-busy"}):
        await page.scenario("name: all-busy")
    await page.write("name: half-written")
    async with emu.client.put(f"{emu.control}{TENANT}/scenario", json={"name": "cold-list"}):
        await expect(page("#scenario")).to_have_text("cold-list")
    await page.scenario("^name: half-written$")
    await expect(page("#scenario-state")).to_have_text("unsaved draft")
    await page.button("Discard the draft").click()
    await page.scenario("name: cold-list")
    await expect(page("#scenario-state")).to_have_text("in force")


async def test_a_draft_survives_tabs_tenants_the_list_and_a_reload(emu, page):
    emu.new_tenant("other")
    await page.open("/default/simulate")
    await page.scenario("name: happy-path")
    await page.write("name: my-draft")
    await expect(page("#scenario-state")).to_have_text("unsaved draft")
    await page.press("1", "3")  # another tab and back
    await page.scenario("^name: my-draft$")

    await page("#scenario-picker").select_option(
        "all-busy"
    )  # another entry of the list, with a draft of its own
    await page.scenario("name: all-busy")
    await page.write("name: second-draft")
    await page("#scenario-picker").select_option("")
    await page.scenario("^name: my-draft$")
    drafts = page("#scenario-picker option").filter(has_text="unsaved draft")
    await expect(drafts).to_have_text(["happy-path (unsaved draft)", "all-busy (unsaved draft)"])

    await page("#tenant").select_option("other")  # another tenant has none
    await page.scenario("name: happy-path")
    await expect(drafts).to_have_count(0)
    await page("#tenant").select_option("default")
    await page.scenario("^name: my-draft$")

    await page.tab.reload()
    await page.scenario("^name: my-draft$")
    await page("#scenario-picker").select_option("all-busy")
    await page.scenario("^name: second-draft$")
    # Putting one in force leaves the other draft alone.
    await page.write("name: second\nrules: []\n")
    await page.button("Put in force").click()
    await expect(page("#scenario")).to_have_text("second")
    await page("#scenario-picker").select_option("")
    await page.scenario("^name: my-draft$")


async def test_a_text_that_is_what_was_there_is_no_draft(emu, page):
    await page.open("/default/simulate")
    await page.scenario("name: happy-path")
    await page.editor.click()
    await page.tab.keyboard.type("x")
    await expect(page("#scenario-state")).to_have_text("unsaved draft")
    await page.press("Backspace")
    await expect(page("#scenario-state")).to_have_text("in force")
    await page.press("Escape", "Escape")
    await expect(page.editor).not_to_be_focused()  # the keyboard is not caught in it


async def offered(page: Page) -> None:
    """Wait until Enter takes what the editor offers: not in its first moments, so that nobody takes it unseen."""
    await expect(page(".cm-tooltip-autocomplete li[aria-selected]")).to_be_visible()
    await page.tab.wait_for_function(
        "(since) => performance.now() > since + 75", arg=await page.tab.evaluate("performance.now()")
    )


async def test_keys_and_values_are_completed_from_the_schema(emu, page):
    await page.open("/default/simulate")
    await page.scenario("name: happy-path")
    await page.write("name: x\nrules:\n  - name: one\n    call:\n      ")
    await page.editor.click()
    await page.press("ControlOrMeta+End")
    await page.tab.keyboard.type("outc")
    offers = page(".cm-tooltip-autocomplete li")
    await expect(offers.first).to_contain_text("outcome")
    await offered(page)
    await page.press("Enter")
    await page.tab.keyboard.type("no_")
    await expect(offers.first).to_contain_text("no_answer")
    await offered(page)
    await page.press("Enter")
    await page.scenario("call:\n      outcome: no_answer$")


#: What the completion offers behind each text, and its size with the editor's.
_OFFERS = """async (texts) => {
  const { complete } = await import("/ui/completion.js");
  const schema = await (await fetch("/scenario.schema.json")).json();
  return texts.map((text) => complete(schema, { pos: text.length, explicit: true, state: { sliceDoc: () => text } })?.options.map(({ label }) => label) ?? []);
}"""


def keys(node: yaml.Node | None, inside: str = "") -> Iterator[tuple[int, str]]:
    """Where each key of a scenario begins, and the key; those that a user invents are left out."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from keys(item, inside)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if inside not in ("fields", "credentials", "repeat_set", "set", "add"):
                yield key.start_mark.index, key.value
            yield from keys(value, key.value)


async def test_every_key_of_the_shipped_scenarios_is_offered_where_it_is(emu, page):
    """Through references, lists, and the branches of a choice; a key is not offered where the schema refuses it."""
    await page.open()
    files = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
    texts = [path.read_text("utf-8") for path in files]
    wanted = {text[:index]: key for text in texts for index, key in keys(yaml.compose(text))}
    assert len(wanted) > 300
    offers = dict(zip(wanted, await page.tab.evaluate(_OFFERS, list(wanted)), strict=True))
    assert [(text[-120:], key) for text, key in wanted.items() if key not in offers[text]] == []
    top = "name: x\nrules:\n  - "
    texts = [
        top + "call: {outcome: ",
        top + "match: {provider: ",
        top + "call: {",
        top + "receipt: {copies: 2, ",
        "clock: ",
    ]
    outcome, provider, call, receipt, clock = await page.tab.evaluate(_OFFERS, texts)
    assert {"busy", "time_limit"} <= set(outcome)
    assert {"nxcloud", "huawei_cec", "infin8linx"} <= set(provider)
    assert {"mix", "outcome", "ring"} <= set(call)
    assert "weight" not in call  # of a choice within mix alone
    assert {"gap", "lost", "delay"} <= set(receipt)
    assert {"real", "manual"} <= set(clock)


async def test_editor_and_completion_are_small(page):
    await page.open("/default/simulate")
    await page.scenario("name: happy-path")
    sizes = "performance.getEntriesByType('resource').filter(({ name }) => /(codemirror|editor|completion)/.test(name)).map((one) => one.decodedBodySize)"
    found = await page.tab.evaluate(sizes)
    assert len(found) == 3
    assert sum(found) < 400_000


async def test_the_editor_is_loaded_on_its_tab_alone(emu, page):
    asked: list[str] = []
    page.tab.on("request", lambda request: asked.append(request.url))
    await page.open()
    await page.press("2", "4")
    await expect(page(".tiles")).to_be_visible()
    assert not [url for url in asked if "codemirror" in url]
    await page.press("3")
    await expect(page.editor).to_be_visible()
    assert [url for url in asked if "codemirror" in url]


async def test_a_call_is_placed_at_every_provider(emu, page):
    await page.open("/default/simulate")
    operation = page.tab.get_by_label("Operation")
    await expect(operation.locator("option")).to_have_count(7)
    await expect(operation.locator("option").first).to_have_text("nxcloud · gpsend")
    number = await page.tab.get_by_label("Number", exact=True).input_value()
    for index in range(7):
        await operation.select_option(index=index)
        await page.button("Place the call").click()
        await expect(card(page, "Place a test call").locator("[role=status] a")).to_have_count(2)
        await expect(page.tab.get_by_role("region", name="Reply to")).to_contain_text("HTTP 200")
        assert len(list(emu.tenant.ledger)) == index + 1
    await page("[role=status] a").first.click()
    await expect(page("#detail h2")).to_have_text(number)
    assert {call.provider for call in emu.tenant.ledger} == {"nxcloud", "huawei_cec", "infin8linx"}


async def test_a_test_call_ends_as_was_chosen_and_with_the_fields_that_were_typed(emu, page):
    await page.open("/default/simulate")
    await page.tab.get_by_label("Operation").select_option("nxcloud · gpsend")
    await page.tab.get_by_label("Ends").select_option(label="busy (…0486)")
    await expect(page.tab.get_by_label("Number", exact=True)).to_have_value("6281200010486")
    await page.tab.get_by_text("Fields of the request", exact=True).click()
    fields = page.tab.get_by_label("Fields of the request as JSON")
    await fields.fill('{"country_code": "62", "url": "https://nxcloud.com/1963370420.m4a", "show_phone": ')
    await page.button("Place the call").click()
    await expect(card(page, "Place a test call")).to_contain_text("The fields are not valid JSON")
    await fields.fill(
        '{"country_code": "62", "url": "https://nxcloud.com/1963370420.m4a", "show_phone": "777"}'
    )
    await page.button("Place the call").click()
    await expect(card(page, "Place a test call")).to_contain_text("Placed:")
    await emu.settle()
    [call] = (await get(emu, f"{TENANT}/calls"))["calls"]
    assert (call["outcome"], call["caller"]) == ("busy", "777")


async def test_tenants_are_created_switched_and_deleted(emu, page):
    await page.open("/default/simulate")
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
    await page.open("/default/simulate")
    for label, value in (
        ("nxcloud secretkey", "nx-secretkey"),
        ("nxcloud agent.username", "nx-agent"),
        ("huawei_cec app_secret", "cec-app-secret"),
    ):
        await page.button(f"Copy {label}").click()
        await expect(page("#toasts").get_by_text("Copied").first).to_be_visible()
        assert await page.clipboard() == value


async def test_receivers_are_changed(emu, page):
    await page.open("/default/simulate")
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
    await page.open("/default/simulate")
    await page.button("Reset…").click()
    await page.press("Escape")
    assert len(list(emu.tenant.ledger)) == 1
    await page.button("Reset…").click()
    await page("dialog").get_by_role("button", name="Reset").click()
    await expect(page("#clock")).to_have_text("01:00:00 UTC")
    assert list(emu.tenant.ledger) == []
    assert emu.tenant.now == START


async def test_back_to_the_start_takes_the_scenario_along(emu, page):
    await page.open("/default/simulate")
    await page.scenario("happy-path")
    async with emu.client.put(f"{emu.control}{TENANT}/scenario", json={"name": "all-busy"}):
        await expect(page("#scenario")).to_have_text("all-busy")
    await page.button("Back to the start…").click()
    await page("dialog").get_by_role("button", name="Reset").click()
    await expect(page("#scenario")).to_have_text("happy-path")


async def test_what_it_does_is_offered_as_curl(page):
    await page.open("/default/simulate")
    await page.scenario("happy-path")
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
