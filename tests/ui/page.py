"""The page in a browser, and calls to look at. Every step waits on what it wants to see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Locator, ViewportSize, expect
from playwright.async_api import Page as BrowserPage

from tests.patience import PATIENCE
from tests.rig import Running

#: For every test file here: one event loop, since they share the browser.
MARKS = [pytest.mark.asyncio(loop_scope="session")]
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
#: What Playwright counts in.
MILLISECONDS = 1_000 * PATIENCE
GPSEND = {
    "appkey": "nx-appkey", "secretkey": "nx-secretkey", "country_code": "62", "show_phone": "123456",
    "url": "https://nxcloud.com/1963370420.m4a",
}  # fmt: skip
#: Collects what the browser itself objects to, before any script of the page runs.
_WATCH = """
window.objections = [];
addEventListener("securitypolicyviolation", (event) => objections.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""

expect.set_options(timeout=MILLISECONDS)


@dataclass
class Page:
    """A tab that shows the page."""

    tab: BrowserPage
    base: str
    complaints: list[str] = field(default_factory=list)

    def __call__(self, selector: str) -> Locator:
        return self.tab.locator(selector)

    def button(self, name: str, exact: bool = True) -> Locator:
        return self.tab.get_by_role("button", name=name, exact=exact)

    @property
    def rows(self) -> Locator:
        """The rows of the list that exist, with the head."""
        return self("[role=row]:not(.grid-head *)")

    async def open(self, place: str = "/default/calls") -> Page:
        """Go to a place within the page as a bookmark would, and wait for it to be live."""
        if self.tab.url != "about:blank":
            await self.tab.goto("about:blank")  # another place of the same page would not load it again
        await self.tab.goto(f"{self.base}/#{place}")
        await self.live()
        return self

    async def live(self) -> None:
        await expect(self("#connection")).to_have_attribute("data-state", "live")

    async def total(self, text: str) -> None:
        await expect(self("#total")).to_have_text(text)

    async def search(self, query: str) -> None:
        """Search for something, and wait until the list is the one that was asked for."""
        await self("#search").fill(query)
        applied = "(query) => (new URLSearchParams(location.hash.split('?')[1]).get('q') ?? '') === query"
        await self.tab.wait_for_function(applied, arg=query)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.tab.keyboard.press(key)

    async def numbers(self) -> list[str]:
        """The numbers in the rows that exist, from the top."""
        found = await self.tab.evaluate(
            "[...document.querySelectorAll('.grid-body .row')]"
            ".sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))"
            ".map((row) => row.querySelector('.number').textContent)"
        )
        return list(found)

    async def place(self) -> str:
        """What the address bar says behind the #."""
        return str(await self.tab.evaluate("location.hash.slice(1)"))

    @property
    def editor(self) -> Locator:
        """The text of the scenario editor, where it can be typed into."""
        return self("#scenario-text")

    async def scenario(self, pattern: str) -> None:
        """Wait until the whole text of the scenario editor matches."""
        await self.tab.wait_for_function(
            "(pattern) => new RegExp(pattern).test(document.querySelector('#scenario-editor')?.value ?? '')",
            arg=pattern,
        )

    async def write(self, text: str) -> None:
        """Put another text into the scenario editor, as a person who pastes it."""
        await self.tab.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        await self.editor.click()
        await self.press("ControlOrMeta+a", "ControlOrMeta+v", "Escape")

    async def clipboard(self) -> str:
        return str(await self.tab.evaluate("navigator.clipboard.readText()"))


@asynccontextmanager
async def new_tab(
    browser: Browser, *, viewport: ViewportSize = DESK, scheme: str = "light", **options: Any
) -> AsyncIterator[BrowserPage]:
    """A tab in a context of its own."""
    settings: dict[str, Any] = {"viewport": viewport, "color_scheme": scheme, **options}
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"], **settings)
    context.set_default_timeout(MILLISECONDS)
    await context.add_init_script(_WATCH)
    try:
        yield await context.new_page()
    finally:
        await context.close()


@asynccontextmanager
async def watched(tab: BrowserPage, base: str) -> AsyncIterator[Page]:
    """The page of the emulator at ``base`` in a tab, not gone to yet. What goes wrong in it fails the test at the end.

    A refusal of the API (4xx) is not an error of the page, although the browser writes it to the console.
    """
    page = Page(tab, base)

    def failed(error: Error) -> None:
        page.complaints.append(f"script error: {error}")

    def printed(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and not said.text.startswith("Failed to load resource"):
            page.complaints.append(f"console {said.type}: {said.text}")

    tab.on("pageerror", failed)
    tab.on("console", printed)
    try:
        yield page
        page.complaints += await tab.evaluate("window.objections ?? []")
    finally:
        tab.remove_listener("pageerror", failed)
        tab.remove_listener("console", printed)
    assert page.complaints == []


@asynccontextmanager
async def opened(browser: Browser, base: str, **settings: Any) -> AsyncIterator[Page]:
    """The page in a tab of its own, for what needs other settings or changes the tab; see :func:`new_tab`."""
    async with new_tab(browser, **settings) as tab, watched(tab, base) as page:
        yield page


async def dial(emu: Running, *numbers: str, **fields: str) -> None:
    """Group calls to these numbers, a hundred a request."""
    for start in range(0, len(numbers), 100):
        form = {**GPSEND, "phone": ",".join(numbers[start : start + 100]), **fields}
        async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form) as reply:
            assert json.loads(await reply.text())["code"] == "0"


async def get(emu: Running, path: str) -> Any:
    """A reply of the control API."""
    async with emu.client.get(emu.control + path) as reply:
        return await reply.json(content_type=None)
