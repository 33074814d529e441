from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from tests.rig import numbers
from tests.ui.page import MARKS, PHONE, dial, get, opened

pytestmark = MARKS

ANSWERED, BUSY, RINGS_OUT = "6281200010000", "6281200010486", "6281200010480"


async def test_calls_appear_and_change_as_they_happen(emu, page):
    await page.open()
    await expect(page(".empty")).to_contain_text("No calls yet")
    await expect(page(".empty")).to_contain_text(emu.url)
    assert await page(".start .card h2").all_text_contents() == ["nxcloud", "huawei_cec", "infin8linx"]
    await page.button("Copy nxcloud secretkey").click()
    assert await page.clipboard() == "nx-secretkey"

    await dial(emu, ANSWERED, BUSY)
    await page.total("2 calls")
    row = page(f".row:has-text('{ANSWERED}')")
    await expect(row.locator(".outcome")).to_have_text("ringing")

    await emu.settle()
    await expect(row.locator(".outcome")).to_have_text("answered")
    await expect(row.locator(".talk")).to_have_text("0:10")
    await expect(row.locator(".charge")).to_have_text("0.036")
    await expect(row.locator(".receipt")).to_have_text("delivered")
    await expect(row.locator(".provider")).to_have_text("nxcloud")
    await expect(page(f".row:has-text('{BUSY}') .outcome")).to_have_text("busy")


async def test_what_was_there_before_is_listed_newest_first(emu, page):
    for number in (ANSWERED, BUSY, RINGS_OUT):
        await dial(emu, number)
        await emu.advance("1s")
    await page.open()
    await page.total("3 calls")
    assert await page.numbers() == [RINGS_OUT, BUSY, ANSWERED]


async def test_a_query_filters_and_is_part_of_the_address(emu, page):
    await dial(emu, ANSWERED, BUSY, RINGS_OUT)
    await emu.settle()
    await page.open()
    await page.press("/")
    await expect(page("#search")).to_be_focused()
    await page.tab.keyboard.type("provider:nxcloud outcome:busy,no_answer -number:*480")
    await page.total("1 of 3")
    assert await page.numbers() == [BUSY]
    place = await page.place()
    assert place.startswith("/default/calls?q=provider%3Anxcloud")

    await page.open(place)
    await page.total("1 of 3")
    await expect(page("#search")).to_have_value("provider:nxcloud outcome:busy,no_answer -number:*480")

    await page.press("/", "Escape")
    await page.total("3 calls")


async def test_a_query_that_means_nothing_says_why(emu, page):
    await dial(emu, ANSWERED)
    await page.open()
    await page("#search").fill("colour:red")
    await expect(page("#search-error")).to_contain_text("unknown key “colour”")
    await expect(page("#search")).to_have_attribute("aria-invalid", "true")
    await page("#search").fill("outcom:busy")
    await expect(page("#search-error")).to_contain_text("did you mean “outcome”?")
    await page("#search").fill("number:999*")
    await expect(page(".empty")).to_contain_text("No call matches")
    await page.button("Show all calls").click()
    await page.total("1 call")


async def test_chips_count_and_filter(emu, page):
    await dial(emu, ANSWERED, BUSY, RINGS_OUT)
    await emu.settle()
    emu.receiver.answer(500, "no")
    await dial(emu, ANSWERED)
    await emu.settle()
    await dial(emu, ANSWERED)
    await page.open()
    await expect(page.button("answered 2")).to_be_visible()
    await expect(page.button("In progress 1")).to_be_visible()
    await expect(page.button("With findings 1")).to_be_visible()
    await page.button("Not delivered 1").click()
    await page.total("1 of 5")
    await expect(page(".row .receipt .dot")).to_have_text("refused")
    await page.button("busy 1").click()
    assert await page.numbers() == [BUSY]
    await page.button("busy 1").click()
    await page.total("5 calls")
    await page.tab.get_by_label("Provider").select_option("infin8linx")
    await page.total("0 of 5")


async def test_only_visible_rows_exist(emu, page):
    many = list(numbers(3000))
    await dial(emu, *many)
    await page.open("/default/calls?q=62812")
    await page.total("3\u202f000 of 3\u202f000")
    assert 10 < await page.rows.count() < 60
    await page(".grid").focus()
    await page.press("End")
    await expect(page(f".row:has-text('{many[0]}')")).to_have_attribute("aria-selected", "true")
    assert await page.rows.count() < 60
    await expect(page(".grid")).to_have_attribute("aria-rowcount", "3001")


async def test_rows_in_view_stay_when_calls_arrive_above(emu, page):
    await dial(emu, *numbers(300))
    await page.open("/default/calls?q=provider:nxcloud")
    await page.total("300 of 300")
    await page(".grid").evaluate("(grid) => { grid.scrollTop = 3400; }")
    await expect(page(".row[aria-rowindex='103']")).to_be_visible()
    before = await page(".row[aria-rowindex='103'] .number").text_content()

    await dial(emu, *numbers(5, prefix="62899"))
    await page.total("305 of 305")
    await expect(page(".row[aria-rowindex='108'] .number")).to_have_text(str(before))
    assert await page(".grid").evaluate("(grid) => grid.scrollTop") == 3400 + 5 * 34


async def test_the_keyboard_goes_everywhere(emu, page):
    await dial(emu, ANSWERED, BUSY, RINGS_OUT)
    await emu.settle()
    await page.open()
    await page.total("3 calls")
    first, second, _ = await page.numbers()

    await page.press("j")
    await expect(page(".row[aria-selected=true] .number")).to_have_text(first)
    await page.press("j", "k", "j", "Enter")
    await expect(page("#detail h2")).to_have_text(second)
    await expect(page("#detail h2")).to_be_focused()
    await page.press("k")
    await expect(page("#detail h2")).to_have_text(first)
    await page.press("Escape")
    await expect(page("#detail")).to_be_hidden()
    await expect(page(".grid")).to_be_focused()
    active = await page(".grid").get_attribute("aria-activedescendant")
    await expect(page(f"#{active} .number")).to_have_text(first)

    await page.press("2")
    await page.total("1 request")
    await page.press("3")
    await expect(page.editor).to_be_visible()
    await page.press("4")
    await expect(page(".tiles")).to_be_visible()
    await page.press("1")
    await page.total("3 calls")
    await page.press("?")
    await expect(page("dialog")).to_contain_text("Keys and queries")
    await page.press("Escape")
    await expect(page("dialog")).to_be_hidden()


async def test_single_keys_can_be_switched_off(emu, page):
    await page.open()
    await page.press("?")
    await page.tab.get_by_label("single-key shortcuts").uncheck()
    await page.press("Escape", "3")
    assert await page.place() == "/default/calls"
    await page.tab.reload()
    await page.live()
    await page.press("3")
    assert await page.place() == "/default/calls"


async def test_a_call_has_an_address_of_its_own(emu, page):
    await dial(emu, ANSWERED)
    await emu.settle()
    [call] = (await get(emu, "/v1/tenants/default/calls"))["calls"]
    await page.open()
    link = page(".row .number a")
    await expect(link).to_have_attribute("href", f"#/default/calls/{call['id']}")
    await link.click()
    await expect(page("#detail h2")).to_have_text(ANSWERED)
    assert await page.place() == f"/default/calls/{call['id']}"
    await page.tab.go_back()
    await expect(page("#detail")).to_be_hidden()
    await page.tab.go_forward()
    await expect(page("#detail h2")).to_have_text(ANSWERED)


async def test_tenant_shows_its_own_calls(emu, page):
    emu.new_tenant("other")
    await dial(emu, ANSWERED)
    await page.open("/other/calls")
    await page.total("0 calls")
    await expect(page("#tenant")).to_have_value("other")
    await page("#tenant").select_option("default")
    await page.total("1 call")
    assert await page.place() == "/default/calls"


async def test_an_address_that_leads_nowhere_says_so(page):
    for place in ("/nobody/calls", "/%E0%A4%A/calls"):
        await page.tab.goto(f"{page.base}/#{place}")
        await expect(page("#banner")).to_contain_text("There is no tenant")
    await page.tab.get_by_role("link", name="Go to the tenant default").click()
    await page.live()
    await page.total("0 calls")


async def test_an_address_that_is_half_wrong_shows_what_it_can(page):
    for place in ("/default/nonsense", "//", "/default/calls/no-such-call", "/default/calls/entry/77"):
        await page.open(place)
        await page.total("0 calls")
        if "/calls/" in place:
            await expect(page("#detail")).to_contain_text(re.compile("no call|no such entry"))


async def test_reset_empties_the_list(emu, page):
    await dial(emu, ANSWERED)
    await page.open()
    await page.total("1 call")
    async with emu.client.post(f"{emu.control}/v1/tenants/default/reset"):
        await page.total("0 calls")


async def test_page_is_usable_at_360_pixels(browser, emu):
    await dial(emu, ANSWERED, BUSY)
    await emu.settle()
    async with opened(browser, emu.control, viewport=PHONE) as page:
        await page.open()
        await page.total("2 calls")
        await expect(page(".row .outcome").nth(1)).to_be_visible()
        for place in ("calls", "requests", "simulate", "verdict"):
            await page("nav a").filter(has_text=place.capitalize()).click()
            wide = await page.tab.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE["width"]
            assert await page("main").evaluate("(main) => main.scrollWidth - main.clientWidth") <= 0
        await page.open()
        await page(f".row:has-text('{BUSY}')").click()
        await expect(page("#detail h2")).to_be_focused()
        await expect(page(".grid")).to_be_hidden()
        await page.button("Close (Escape)").click()
        await expect(page(".grid")).to_be_visible()


async def test_a_large_submission_is_one_row_that_opens(emu, page):
    await dial(emu, *numbers(100))
    await dial(emu, BUSY)
    await page.open()
    await page.total("101 calls")
    batch = page(".row[aria-expanded]")
    await expect(batch).to_have_count(1)
    await expect(batch.locator(".number")).to_contain_text("100 numbers")
    await expect(batch.locator(".outcome")).to_have_text("0 of 100 ended")
    assert await page.rows.count() == 2
    await emu.settle()
    await expect(batch.locator(".outcome")).to_have_text("100 ended")
    await expect(batch.locator(".receipt")).to_have_text("100 delivered")
    await expect(batch.locator(".cause")).to_have_text("answered 100")

    await batch.click()
    await expect(batch).to_have_attribute("aria-expanded", "true")
    await expect(page(".grid")).to_have_attribute("aria-rowcount", "103")
    await expect(page(".row.inside").first).to_have_attribute("aria-level", "2")
    await page.press("ArrowLeft")
    await expect(batch).to_have_attribute("aria-expanded", "false")
    await page.press("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft")  # from a call within
    await expect(batch).to_have_attribute("aria-expanded", "false")
    await expect(batch).to_have_attribute("aria-selected", "true")
    await page.press("Enter")
    await expect(batch).to_have_attribute("aria-expanded", "true")

    # A search picks calls out of it.
    await page("#search").fill(next(iter(numbers(1))))
    await page.total("1 of 101")
    await expect(page(".row[aria-expanded]")).to_have_count(0)


async def test_a_submission_that_has_no_id_is_one_row_too(emu, page):
    form = {
        "service": "App.Sip_Call.PlayVoice", "appid": "in8-appid", "accesskey": "in8-accesskey", "nationcode": "id",
        "destnumber": ",".join(numbers(300)), "voicetype": "1", "voicefile": "abcdefg",
    }  # fmt: skip
    async with emu.client.post(f"{emu.url}/api/yunhu", data=form) as reply:
        assert reply.status == 200
    await page.open()
    await page.total("300 calls")
    await expect(page(".row[aria-expanded] .number")).to_contain_text("300 numbers")
    await emu.settle()
    await page.tab.reload()
    await page.total("300 calls")
    await expect(page(".row[aria-expanded] .receipt")).to_have_text("300 delivered")


async def test_a_receipt_that_may_still_come_is_not_called_undelivered(browser, emu):
    async with emu.client.put(
        f"{emu.control}/v1/tenants/default/scenario",
        data="name: late\nrules:\n  - name: late\n    receipt: {delay: 1h}\n",
        headers={"Content-Type": "application/yaml"},
    ):
        pass
    await dial(emu, *numbers(30))
    await emu.advance("10m")
    async with opened(browser, emu.control) as page:
        await page.open()
        await expect(page.button("Receipt pending 30")).to_be_visible()
        await expect(page(".chip").filter(has_text="Not delivered")).to_have_count(0)
        await expect(
            page(".row[aria-expanded] .receipt .bad, .row[aria-expanded] .receipt.bad")
        ).to_have_count(0)
        await page.button("Receipt pending 30").click()
        await page.total("30 of 30")


async def test_columns_sort(emu, page):
    await dial(emu, ANSWERED)
    await dial(emu, RINGS_OUT)
    await dial(emu, BUSY)
    await emu.settle()
    await page.open()
    await page.total("3 calls")
    newest = await page.numbers()
    head = page("[role=columnheader]").filter(has_text="Number")
    await head.get_by_role("button").click()
    await expect(head).to_have_attribute("aria-sort", "ascending")
    assert await page.numbers() == sorted(newest)
    await head.get_by_role("button").click()
    await expect(head).to_have_attribute("aria-sort", "descending")
    assert await page.numbers() == sorted(newest, reverse=True)
    await head.get_by_role("button").click()
    await expect(head).not_to_have_attribute("aria-sort", re.compile(".*"))
    assert await page.numbers() == newest
    await page.tab.get_by_role("button", name="Talk").click()
    assert (await page.numbers())[0] == ANSWERED


async def test_keys_and_values_are_completed(emu, page):
    await dial(emu, ANSWERED, BUSY, RINGS_OUT)
    await emu.settle()
    await page.open()
    await page.total("3 calls")
    await page.press("/")
    await page.tab.keyboard.type("outc")
    offers = page("[role=option]")
    await expect(offers).to_have_text(["outcome:"])
    await page.press("ArrowDown", "Enter")
    await expect(offers).to_have_text(["no_answer1", "busy1", "answered1"])
    await expect(page("#search")).to_have_attribute("aria-invalid", "false")
    await page.tab.keyboard.type("bu")
    await page.press("ArrowDown", "Tab")
    await expect(page("#search")).to_have_value("outcome:busy ")
    await page.total("1 of 3")
    await page.tab.keyboard.type("provider:")
    await expect(offers).to_have_count(1)
    await page.press("Escape")
    await expect(page("[role=listbox]")).to_be_hidden()
    await expect(page("#search")).to_have_value("outcome:busy provider:")


async def test_whatever_is_known_of_a_call_finds_it(emu, page):
    emu.receiver.answer_once(200, "no acknowledgement")
    await dial(emu, BUSY, ext="order-4711")
    await dial(emu, ANSWERED)
    await emu.settle()
    [busy, _] = (await get(emu, "/v1/tenants/default/calls"))["calls"]
    await page.open()
    await page.total("2 calls")
    for query in (
        busy["id"], busy["provider_id"], busy["provider_id"][8:20].upper(), "order-4711", "id:order-4711", *busy["references"],
        "0486", "USER_BUSY", "outcome:busy", 'rule:"*busy"', "has:finding", "push-not-ack",
        f"batch_id:{busy['batch_id']}", "has:error",
    ):  # fmt: skip
        await page.search(query)
        await page.total("1 of 2")
        assert await page.numbers() == [BUSY], query


async def test_a_page_that_is_still_reading_says_so(browser, emu):
    await dial(emu, ANSWERED)
    async with opened(browser, emu.control) as page:
        released = asyncio.Event()

        async def hold(route: Route) -> None:
            await released.wait()
            await route.continue_()

        await page.tab.route(re.compile(r"/calls\?|/journal\?"), hold)
        await page.tab.goto(f"{page.base}/#/default/calls")
        await page.live()
        await expect(page("#total")).to_have_text("Loading…")
        await expect(page(".empty")).to_have_text("Loading…")
        await page.press("2")
        await expect(page("#total")).to_have_text("Loading…")
        released.set()
        await page.total("1 request")
        await page.press("1")
        await page.total("1 call")
