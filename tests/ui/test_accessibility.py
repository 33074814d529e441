"""axe-core finds nothing, in both themes and both sizes; the focus goes where one expects it."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from tests.ui.page import DESK, MARKS, PHONE, Page, dial, get, opened

pytestmark = MARKS

NUMBERS = ("6281200010000", "6281200010486", "6281200010480", "6281200010603", "6281200010503")


async def check(page: Page, what: str, *rules: str) -> None:
    """Hold the page against every rule of axe-core, or against these."""
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = await Axe().run(page.tab, options={"resultTypes": ["violations"], **only})
    named = [
        f"{what}: {one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found.response["violations"]
    ]
    assert named == []


async def prepare(emu) -> str:
    """Calls of every kind, a refused push, a finding; the id of a call."""
    emu.receiver.answer_once(500, "no")
    await dial(emu, *NUMBERS)
    await emu.settle()
    await dial(emu, "6281200010000")
    return str((await get(emu, "/v1/tenants/default/calls?q=receipt:refused"))["calls"][0]["id"])


@pytest.mark.parametrize(
    ("scheme", "viewport", "rules"),
    [
        ("light", DESK, ()),
        ("dark", DESK, ("color-contrast",)),
        ("light", PHONE, ("color-contrast", "target-size")),
    ],
    ids=["desk", "dark", "phone"],
)
async def test_axe_finds_nothing(browser, emu, scheme, viewport, rules):
    call = await prepare(emu)
    async with opened(
        browser, emu.control, viewport=viewport, scheme=scheme, reduced_motion="reduce"
    ) as page:
        await page.open()
        await page.total("6 calls")
        await check(page, "list", *rules)
        await page.open(f"/default/calls/{call}")
        await expect(page(".fields table")).to_be_visible()
        await expect(page(".findings")).to_be_visible()
        await check(page, "call", *rules)
        await page("#curl").click()
        await expect(page("dialog .command, dialog .block").first).to_be_visible()
        await check(page, "curl", *rules)
        await page.press("Escape", "?")
        await expect(page("dialog kbd").first).to_be_visible()
        await check(page, "help", *rules)
        await page.open("/default/simulate")
        await page.scenario("happy-path")
        await page.write("name: x\nruls: []\n")
        await page.button("Put in force").click()
        await expect(page("#scenario-findings li").first).to_be_visible()
        await page.button("Place the call").click()
        await expect(page("[role=status] a").first).to_be_visible()
        await check(page, "simulate", *rules)
        await page.open("/default/requests")
        await expect(page(".grid-body .row").first).to_be_visible()
        await check(page, "requests", *rules)
        await page("#search").fill("outcome:")
        await expect(page("[role=option]").first).to_be_visible()
        await check(page, "completion", *rules)
        await page("#search").fill("")
        await page.open("/default/requests/1")
        await expect(page(".exchange")).to_be_visible()
        await check(page, "request", *rules)
        await page.open("/default/verdict")
        await expect(page(".tiles")).to_be_visible()
        await check(page, "verdict", *rules)


async def test_an_empty_and_a_lost_page_pass_too(emu, page):
    await page.open()
    await page.total("0 calls")
    await expect(page(".start .block").first).to_be_visible()
    await check(page, "empty")
    await page.open("/default/verdict")
    await expect(page(".tiles")).to_be_visible()
    await check(page, "empty verdict")
    await emu.emulator.close()
    await expect(page("#banner")).to_be_visible()
    await check(page, "lost")


async def test_tab_goes_from_the_top_down(emu, page):
    await dial(emu, *NUMBERS)
    await page.open()
    await page.total("5 calls")
    order = []
    for _ in range(11):
        await page.press("Tab")
        order.append(
            await page.tab.evaluate(
                "document.activeElement.id || document.activeElement.textContent || document.activeElement.className"
            )
        )
    assert order[:5] == ["skip", "Calls", "Requests", "Simulate", "Verdict"]
    assert order[5:10] == ["tenant", "curl", "theme", "help", "search"]


async def test_the_skip_link_leads_past_the_header(page):
    await page.open()
    await page.press("Tab", "Enter")
    await expect(page("#main")).to_be_focused()


async def test_a_dialog_keeps_the_focus_and_gives_it_back(page):
    await page.open()
    await page("#help").focus()
    await page.press("Enter")
    for _ in range(6):
        await page.press("Tab")
        inside = (
            "document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
        )
        assert await page.tab.evaluate(inside)
    await page.press("Escape")
    await expect(page("#help")).to_be_focused()


async def test_the_theme_can_be_chosen_and_stays(page):
    await page.open()
    background = "getComputedStyle(document.body).backgroundColor"
    light = await page.tab.evaluate(background)
    await page("#theme").click()  # light
    await page("#theme").click()  # dark
    await expect(page("#theme")).to_have_attribute("aria-label", "Theme: dark")
    dark = await page.tab.evaluate(background)
    assert dark != light
    await page.tab.reload()
    await page.live()
    assert await page.tab.evaluate(background) == dark
