"""Makes the running process one of the replicas that share a store."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from voice_emulator.replicas.lease import Lease
from voice_emulator.replicas.membership import Membership
from voice_emulator.replicas.store import SharedStore
from voice_emulator.settings import StoreAddress
from voice_emulator.wire.machine_time import MachineTime
from voice_emulator.wire.runtime import Runtime

log = logging.getLogger(__name__)


def membership(
    address: StoreAddress, runtime: Runtime, machine: MachineTime, monotonic: Callable[[], float]
) -> Membership:
    """A replica that has joined nothing yet. ``monotonic``, in real seconds, is what its lease is measured by."""
    options = runtime.options
    return Membership(
        SharedStore(address, options.lease), runtime, machine, Lease(options.lease, monotonic),
        options.node_url or runtime.control,
    )  # fmt: skip


async def join(member: Membership, runtime: Runtime) -> None:
    """Join the others, and make the tenant ``default`` unless one of them has made it.

    With other options than this one's, that is one warning. Raises StateError when the store cannot be used.
    """
    options = runtime.options
    await member.join()
    wanted = {
        "--scenario": runtime.start_scenario.name, "--seed": options.seed,
        "--clock": str(options.clock or ""), "--clock-start": options.clock and options.clock.start,
        "--callback-url": options.callback_url,
    }  # fmt: skip
    there = await member.make_default(json.dumps(wanted))
    made = json.loads(there) if there else wanted
    differs = [name for name, value in wanted.items() if made.get(name) != value]
    if differs:
        log.warning(
            "the tenant default is there already, made with another %s: that of this replica has no effect",
            ", ".join(differs),
        )
