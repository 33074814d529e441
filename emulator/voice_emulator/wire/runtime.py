"""The running emulator as one value that holds every part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.providers.provider import Provider
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.settings import Options
from voice_emulator.wire.delivery.attempting import Delivery
from voice_emulator.wire.delivery.scheduler import Driver
from voice_emulator.wire.mutant import MutantInForce
from voice_emulator.wire.ownership import Ownership
from voice_emulator.wire.relay.relay import Relay
from voice_emulator.wire.traffic.gateway import Gateway

if TYPE_CHECKING:
    from voice_emulator.scenarios.loader import ScenarioLoader


@dataclass(slots=True)
class Runtime:
    """Built by :mod:`voice_emulator.app`; the control API works on it.

    ``start_scenario`` is the scenario of the command line. ``traffic`` and ``control`` are base URLs, empty until both
    ports listen; ``ca_pem`` is the CA certificate of ``--tls-self-signed``. ``ownership`` and ``relay`` are there with a
    shared store. ``open_default`` makes the tenant ``default`` as the command line wants it.
    ``guides`` are the parts of ``/llms.txt`` on each provider that are the same for all tenants, once they were asked for.
    """

    options: Options
    providers: Mapping[str, Provider]
    schemas: SchemaSet
    loader: ScenarioLoader
    tenancy: Tenancy
    gateway: Gateway
    delivery: Delivery
    driver: Driver
    start_scenario: Scenario
    version: str
    mutant: MutantInForce
    ready: bool = False
    traffic: str = ""
    control: str = ""
    ca_pem: bytes | None = None
    ownership: Ownership | None = None
    open_default: Callable[[], object] = lambda: None
    relay: Relay | None = None
    guides: dict[str, tuple[str, str]] = field(default_factory=dict)
