"""One headless Chromium for all tests of the page, and one tab for most: a new one costs three times what a test does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright
from playwright.async_api import Page as BrowserPage

from tests.rig import Running, started
from tests.ui import chromium
from tests.ui.page import DESK, Page, new_tab, watched


@pytest.fixture(scope="session")
def executable() -> str:
    found = chromium.get()
    if found is None:
        pytest.skip(chromium.MISSING)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=executable, args=list(chromium.ARGUMENTS))
        try:
            yield launched
        finally:
            await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def emu() -> AsyncIterator[Running]:
    """An emulator on a manual clock, with a receiver."""
    async with started() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tab(browser: Browser) -> AsyncIterator[BrowserPage]:
    async with new_tab(browser) as tab:
        yield tab


@pytest_asyncio.fixture(loop_scope="session")
async def page(tab: BrowserPage, emu: Running) -> AsyncIterator[Page]:
    """The page of ``emu``; a script error, a breach of the policy or a console error fails the test."""
    async with watched(tab, emu.control) as page:
        yield page
    # As new for the next test: its emulator may be at the same port.
    if tab.url != "about:blank":
        await tab.evaluate("localStorage.clear(); sessionStorage.clear()")
        await tab.goto("about:blank")
    await tab.set_viewport_size(DESK)
