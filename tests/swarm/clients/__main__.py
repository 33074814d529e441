"""Serve one client: `python -m tests.swarm.clients NAME PORT`, with the variables of swarm."""

from __future__ import annotations

import os
import sys

from tests.swarm.clients.mutants import EVERY
from tests.swarm.clients.service import Server
from tests.swarm.clients.wires import Account


def main() -> None:
    name, port = sys.argv[1:]
    client = EVERY[name]
    Server(client.service(client.wire(Account(os.environ))), int(port)).serve_forever()


if __name__ == "__main__":
    main()
