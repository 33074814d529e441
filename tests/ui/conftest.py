"""One headless Chromium for all tests of the page; each test gets a context, and an emulator, of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.rig import Running, started
from tests.ui import chromium
from tests.ui.page import Page, opened


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


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, emu: Running) -> AsyncIterator[Page]:
    """The page of ``emu``; a script error, a breach of the policy or a console error fails the test."""
    async with opened(browser, emu.control) as page:
        yield page
