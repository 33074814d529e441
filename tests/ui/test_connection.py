"""The emulator goes away and comes back; the page says so and goes on."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import expect

from tests.rig import started
from tests.ui.page import MARKS, dial, opened
from voice_emulator.app import Emulator
from voice_emulator.settings import Options

pytestmark = MARKS

NUMBER = "6281200010000"


async def test_a_lost_connection_is_told_and_found_again(browser):
    async with started() as emu, opened(browser, emu.control) as page:
        await dial(emu, NUMBER)
        await page.open()
        await page.total("1 call")
        port = urlsplit(emu.control).port
        await emu.emulator.close()
        await expect(page("#connection")).to_have_text("connection lost")
        await expect(page("#banner")).to_contain_text("tries again by itself")
        await page.total("1 call")  # what was known stays

        another = Emulator(Options(port=0, control_port=port or 0), grace=0.2)
        await another.start()
        try:
            await page.live()
            await expect(page("#banner")).to_be_hidden()
            await expect(page("#toasts")).to_contain_text("Connected again")
            await page.total("0 calls")  # it is another process, which knows of none
            async with emu.client.post(
                f"{emu.control}/v1/tenants/default/place", json={"provider": "nxcloud", "number": NUMBER}
            ) as reply:
                assert reply.status == 200
            await page.total("1 call")
        finally:
            await another.close()


async def test_an_action_without_a_connection_says_so(browser):
    async with started() as emu, opened(browser, emu.control) as page:
        await page.open("/default/simulate")
        await page.scenario("happy-path")
        await emu.emulator.close()
        await page.button("+ 1 s").click()
        await expect(page("#toasts .bad")).to_contain_text("the emulator does not answer")


async def test_a_tenant_that_is_deleted_is_told(browser):
    async with started() as emu, opened(browser, emu.control) as page:
        emu.new_tenant("short-lived")
        await page.open("/short-lived/calls")
        async with emu.client.delete(f"{emu.control}/v1/tenants/short-lived"):
            await expect(page("#banner")).to_contain_text("There is no tenant “short-lived”")
        await page.tab.get_by_role("link", name="Go to the tenant default").click()
        await page.live()


async def test_the_control_token_is_asked_for_as_a_password(browser):
    async with started(control_token="a-secret-token") as emu:
        async with emu.client.get(emu.control + "/") as reply:
            assert reply.status == 401
            assert reply.headers["WWW-Authenticate"].startswith("Basic ")
        credentials = {"username": "anybody", "password": "a-secret-token"}
        async with opened(browser, emu.control, http_credentials=credentials) as page:
            await page.open("/default/simulate")
            await page.button("Place the call").click()
            await expect(page(".card[aria-label='Place a test call']")).to_contain_text("Placed:")
            await page.press("1")
            await page.total("1 call")
            await expect(page(".grid-body .outcome")).to_have_text("ringing")
