"""Thousands of calls at 500 a second: the browser itself measures whether the page stays responsive."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from playwright.async_api import expect

from tests.rig import numbers, started
from tests.ui.page import MARKS, dial, opened
from voice_emulator.core.clock import ClockSpec

pytestmark = MARKS

PER_SECOND = 500
#: Longest task the page may have, in milliseconds.
LONGEST = 120
#: A fixed piece of work in the browser. How much longer it takes while calls arrive than it did at best tells how
#: busy the machine is with other things: a task is held to LONGEST on a machine that is the browser's own.
WORK = """() => {
  const begun = performance.now();
  let sum = 0;
  for (let n = 0; n < 2_000_000; n++) sum += n % 7;
  return sum && performance.now() - begun;
}"""
#: What the page may hold on to, in bytes, for that many calls.
HEAP = 64 * 1024 * 1024
SCENARIO = "name: quick\nrules:\n  - name: short\n    call: {outcome: answered, ring: 200ms, talk: 1s}\n"
MEASURE = """
window.tasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) => tasks.push(Math.round(entry.duration)))).observe({ type: "longtask", buffered: true });
"""


@pytest.mark.parametrize("count", [1_500, pytest.param(10_000, marks=pytest.mark.long)])
async def test_page_stays_responsive_while_many_calls_arrive(browser, count: int):
    shown = f"{count:,}".replace(",", "\u202f")
    async with (
        started(SCENARIO, ClockSpec("real"), strict=False) as emu,
        opened(browser, emu.control) as page,
    ):
        await page.tab.add_init_script(MEASURE)
        await page.open()
        idle = min([await page.tab.evaluate(WORK) for _ in range(10)])
        busy = idle
        session = await page.tab.context.new_cdp_session(page.tab)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        many = list(numbers(count))
        for start in range(0, count, 100):
            ahead = begin + start / PER_SECOND - loop.time()
            with suppress(TimeoutError):
                # Not waiting for something to happen: this is the rate of arrival itself.
                await asyncio.wait_for(asyncio.Event().wait(), max(0, ahead))
            await dial(emu, *many[start : start + 100])
            if start % 500 == 0:
                busy = max(busy, await page.tab.evaluate(WORK))
        await page.total(f"{shown} calls")
        await expect(page.button(f"answered {shown}")).to_be_visible()
        await page(".grid").focus()
        await page.press("End", "Home", "PageDown")
        await page("#search").fill("number:*999 outcome:answered -provider:huawei_cec")
        await page.total(f"{count // 100} of {shown}")

        longest = LONGEST * busy / idle
        tasks = await page.tab.evaluate("tasks")
        assert max(tasks, default=0) < longest, tasks

        await page.tab.reload()  # all of them at once, from the list
        await page.total(f"{count // 100} of {shown}")
        tasks = await page.tab.evaluate("tasks")
        assert max(tasks, default=0) < longest, tasks
        assert await page("*").count() < 1_500
        await session.send("HeapProfiler.collectGarbage")
        used = await session.send("Runtime.getHeapUsage")
        assert used["usedSize"] < HEAP


async def test_a_batch_of_5000_is_one_row_and_keeps_it_responsive(browser):
    """All of it at once: accepted, dialled, ended and pushed while the page looks on."""
    form = {
        "service": "App.Sip_Call.PlayVoice", "appid": "in8-appid", "accesskey": "in8-accesskey", "nationcode": "id",
        "destnumber": ",".join(numbers(5_000)), "voicetype": "1", "voicefile": "abcdefg",
    }  # fmt: skip
    async with (
        started(SCENARIO, ClockSpec("real"), strict=False) as emu,
        opened(browser, emu.control) as page,
    ):
        await page.tab.add_init_script(MEASURE)
        await page.open()
        idle = min([await page.tab.evaluate(WORK) for _ in range(10)])
        async with emu.client.post(f"{emu.url}/api/yunhu", data=form) as reply:
            assert reply.status == 200
        busy = max([idle, *[await page.tab.evaluate(WORK) for _ in range(5)]])
        await page.total("5\u202f000 calls")
        batch = page(".row[aria-expanded]")
        await expect(batch.locator(".number")).to_contain_text("5\u202f000 numbers")
        await expect(batch.locator(".receipt")).to_have_text("5\u202f000 delivered")
        assert await page.rows.count() == 1
        busy = max([busy, *[await page.tab.evaluate(WORK) for _ in range(5)]])
        await batch.click()
        await expect(page(".grid")).to_have_attribute("aria-rowcount", "5002")
        await page("#search").fill(f"outcome:answered {list(numbers(78))[-1]}")
        await page.total("1 of 5\u202f000")
        tasks = await page.tab.evaluate("tasks")
        assert max(tasks, default=0) < LONGEST * busy / idle, tasks
        assert await page("*").count() < 1_500
