"""Run with `python -m unittest` while an emulator runs (`voice-emulator serve`)."""

from __future__ import annotations

import threading
import unittest
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from reminders import Reminders

from emulator import Emulator

PHONE = "6281200010000"
LOST = "name: lost\nrules:\n  - name: no receipt comes\n    receipt: {lost: true}\n"


class RemindersTest(unittest.TestCase):
    def setUp(self) -> None:
        test = self

        class Receiver(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                answer = test.reminders.receipt(
                    dict(parse_qsl(urlsplit(self.path).query) + parse_qsl(body))
                ).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.emulator = self.enterContext(Emulator(f"http://127.0.0.1:{server.server_port}/receipts"))
        keys = self.emulator.credentials
        self.reminders = Reminders(self.emulator.url, keys["appkey"], keys["secretkey"])

    def test_an_answered_call_is_settled_by_its_receipt(self) -> None:
        self.reminders.remind(PHONE)
        self.assertEqual("called", self.reminders.state(PHONE))
        self.emulator.advance(60)
        self.assertEqual("delivered", self.emulator.wait_for_callback(PHONE)["outcome"])
        self.assertEqual("answered", self.reminders.state(PHONE))

    def test_a_receipt_that_comes_twice_is_charged_once(self) -> None:
        self.emulator.load("duplicate-receipts")
        self.reminders.remind(PHONE)
        self.emulator.advance()
        self.assertEqual(Decimal("0.036"), self.reminders.bill)

    def test_a_lost_receipt_is_reconciled(self) -> None:
        self.emulator.load(LOST)
        self.reminders.remind(PHONE)
        self.emulator.advance()
        self.assertEqual("called", self.reminders.state(PHONE))
        self.reminders.reconcile()
        self.assertEqual("answered", self.reminders.state(PHONE))
        self.assertEqual(Decimal("0.036"), self.reminders.bill)


if __name__ == "__main__":
    unittest.main()
