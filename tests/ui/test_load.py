"""10,000 calls at 500 a second: the browser itself measures whether the page stays responsive."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from emulator.core.clock import ClockSpec
from tests.rig import numbers, started
from tests.ui.page import MARKS, dial, opened

pytestmark = MARKS

CALLS = 10_000
PER_SECOND = 500
#: Longest task the page may have, in milliseconds.
LONGEST = 100
#: What the page may hold on to, in bytes, for that many calls.
HEAP = 64 * 1024 * 1024
SCENARIO = "name: quick\nrules:\n  - name: short\n    call: {outcome: answered, ring: 200ms, talk: 1s}\n"
MEASURE = """
window.tasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) => tasks.push(Math.round(entry.duration)))).observe({ type: "longtask", buffered: true });
"""


async def test_it_stays_responsive_while_many_calls_arrive(browser):
    async with (
        started(SCENARIO, ClockSpec("real"), strict=False) as emu,
        opened(browser, emu.control) as page,
    ):
        await page.open()
        await page.tab.evaluate(MEASURE)
        session = await page.tab.context.new_cdp_session(page.tab)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        many = list(numbers(CALLS))
        for start in range(0, CALLS, 100):
            ahead = begin + start / PER_SECOND - loop.time()
            if ahead > 0:
                # Not waiting for something to happen: this is the rate of arrival itself.
                await asyncio.wait([loop.create_task(asyncio.Event().wait())], timeout=ahead)
            await dial(emu, *many[start : start + 100])
        await page.total("10\u202f000 calls")
        await expect(page.button("answered 10\u202f000")).to_be_visible(timeout=30_000)
        await page("[role=grid]").focus()
        await page.press("End", "Home", "PageDown")
        await page("#search").fill("number:*9999 outcome:answered -provider:huawei_cec")
        await page.total("10 of 10\u202f000")

        tasks = await page.tab.evaluate("tasks")
        print("TASKS", tasks)
        assert max(tasks, default=0) < LONGEST, tasks
        assert await page("*").count() < 1_500
        await session.send("HeapProfiler.collectGarbage")
        used = await session.send("Runtime.getHeapUsage")
        print("HEAP", used)
        assert used["usedSize"] < HEAP
