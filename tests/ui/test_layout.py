"""Nothing sticks out, nothing is cut off, no word is broken, at every width, on every view, in both themes."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.ui.page import GPSEND, MARKS, Page, dial, get, opened

pytestmark = MARKS

NUMBERS = ("6281200010000", "6281200010486", "6281200010480", "6281200010503")
#: Elements that are wider inside than they are, and do not scroll; and what sticks out of the window.
_OVERFLOW = """() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page: ${document.documentElement.scrollWidth}`);
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element);
    if (!element.clientWidth || element.closest(".sr, svg, [hidden], dialog:not([open])") || style.display === "inline") continue;
    const name = `${element.tagName}.${element.className} ${element.textContent.slice(0, 40)}`;
    if (["visible"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1) found.push(`${name}: ${element.scrollWidth} in ${element.clientWidth}`);
    // A box that scrolls may hold more than it shows; one in the flow of the page may not.
    const box = element.getBoundingClientRect();
    if (box.right > innerWidth + 1 && !element.closest(".chips, .grid, .scroll-x, .block, .skip")) found.push(`${name}: ends at ${box.right}`);
  }
  return [...new Set(found)].slice(0, 8);
}"""
#: Words of letters that are drawn on two lines. Long ids and addresses must break somewhere, and raw bytes may.
_BROKEN = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.parentElement.checkVisibility() || node.parentElement.closest(".block, .sr, svg")) continue;
    for (const { 0: word, index } of node.data.matchAll(/[A-Za-z]{2,24}/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set([...range.getClientRects()].filter((one) => one.width > 1).map((one) => Math.round(one.top)));
      if (lines.size > 1) found.push(`${word} in ${node.parentElement.tagName}.${node.parentElement.className}`);
    }
  }
  return [...new Set(found)].slice(0, 8);
}"""
#: Cells of the list whose text is cut off though another column could have made room.
_CLIPPED = """() => [...document.querySelectorAll(".grid:not(.narrow) .grid-head .cell")].filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"""


async def fill(emu) -> tuple[str, int]:
    """Calls and requests of every kind; the id of a call whose push failed, and of a request that was refused."""
    await dial(emu, *NUMBERS, ext="订单-4711")
    await emu.settle()
    emu.receiver.answer_once(500, "no")
    await dial(emu, "6281200010503")
    await emu.settle()
    for change in ({"appkey": "wrong"}, {"phone": "x"}, {"country_code": ""}):
        form = {**GPSEND, "phone": NUMBERS[0], **change}
        async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form):
            pass
    async with emu.client.post(f"{emu.url}/a/path/that/nobody/serves/and/that/is/rather/long"):
        pass
    await dial(emu, *(f"6281{index:08d}" for index in range(60)))
    [call] = (await get(emu, "/v1/tenants/default/calls?q=receipt:refused"))["calls"]
    refused = (await get(emu, "/v1/tenants/default/journal?kind=request&q=outcome:refused"))["entries"]
    return call["id"], refused[0]["id"]


async def check(page: Page, what: str) -> None:
    assert await page.tab.evaluate(_OVERFLOW) == [], what
    assert await page.tab.evaluate(_BROKEN) == [], what
    assert await page.tab.evaluate(_CLIPPED) == [], what


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1024, 390])
async def test_layout_has_no_overflow_and_no_broken_word(browser, emu, width: int, scheme: str):
    async with opened(browser, emu.control, viewport={"width": width, "height": 800}, scheme=scheme) as page:
        await page.open()
        await expect(page(".start .block").first).to_be_visible()
        await check(page, "empty")
        call, request = await fill(emu)
        for view, ready in {
            "calls": ".grid-body .row", f"calls/{call}": ".fields table", "requests": ".grid-body .row",
            f"requests/{request}": ".exchange", "simulate": ".cm-content", "verdict": ".findings .fix:not([hidden])",
        }.items():  # fmt: skip
            await page.open(f"/default/{view}")
            await expect(page(ready).first).to_be_visible()
            if view == "simulate":
                for provider in ("nxcloud", "huawei_cec", "infin8linx"):
                    options = page.tab.get_by_label("Operation").locator("option")
                    await expect(options).to_have_count(7)
                    names = await options.all_text_contents()
                    await page.tab.get_by_label("Operation").select_option(
                        next(name for name in names if name.startswith(provider))
                    )
                    await page.button("Place the call").click()
                    await expect(page("[role=status] a").first).to_be_visible()
                    await check(page, f"{view} {provider}")
            if view == "verdict":
                for summary in await page("summary").all():
                    await summary.click()
            await check(page, view)
        await page.press("?")
        await expect(page("dialog kbd").first).to_be_visible()
        await check(page, "help")
        await page.press("Escape", "c")
        await expect(page("dialog .block").first).to_be_visible()
        await check(page, "curl")


async def test_with_a_call_open_the_list_drops_columns(emu, page):
    call, _ = await fill(emu)
    await page.open()
    await page.tab.set_viewport_size({"width": 1600, "height": 800})
    await expect(page(".grid-head .rule")).to_be_visible()
    await page.open(f"/default/calls/{call}")
    await page.tab.set_viewport_size({"width": 1280, "height": 800})
    for name in ("number", "outcome", "receipt"):
        await expect(page(f".grid-head .{name}")).to_be_visible()
    for name in ("rule", "cause"):
        await expect(page(f".grid-head .{name}")).to_be_hidden()
    await check(page, "open")


async def test_chinese_text_has_a_font(page):
    await page.open()
    for selector in ("body", "#search"):
        family = await page(selector).evaluate("(element) => getComputedStyle(element).fontFamily")
        assert "Noto Sans CJK SC" in family
