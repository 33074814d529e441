"""Serve the reminders: `python nxcloud_reminders` (the folder), configured by environment variables."""

from __future__ import annotations

import os

from aiohttp import web
from service import Account, Store, create_app


def main() -> None:
    account = Account(
        os.environ["NXCLOUD_URL"], os.environ["NXCLOUD_APPKEY"], os.environ["NXCLOUD_SECRETKEY"]
    )
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))
    # Runs until SIGTERM or SIGINT.
    web.run_app(create_app(account, Store()), host=host, port=port, print=None)


if __name__ == "__main__":
    main()
