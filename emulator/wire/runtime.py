"""The running emulator as the rim's parts see it: one value that names every other part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emulator.core.scenario import Scenario
from emulator.core.tenancy import Tenancy
from emulator.loading.schemas import SchemaSet
from emulator.providers.base import Provider
from emulator.settings import Options
from emulator.wire.delivery import Delivery
from emulator.wire.driver import Driver
from emulator.wire.gateway import Gateway

if TYPE_CHECKING:
    from emulator.loading.scenarios import ScenarioLoader


@dataclass(slots=True)
class Runtime:
    """Made by the composition root (:mod:`emulator.app`); the control API works on it.

    ``start_scenario`` is the one of the command line, which ``reset?to=start`` restores. ``traffic``
    and ``control`` are base URLs once both ports listen; ``version`` the program's; ``ca_pem`` the
    authority of a self-signed certificate.
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
    ready: bool = False
    traffic: str = ""
    control: str = ""
    ca_pem: bytes | None = None
    started_at: int = field(default=0)
