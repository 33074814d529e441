"""A tenant: one customer of all providers at once, and the one owner of its mutable state.

Everything that changes hangs on :class:`Tenant` and changes through its methods, so that it can be
reset, saved, and owned elsewhere one day. Nothing is global.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import ref

from voice_emulator.core.accounts import ISSUED, AccountRules, Key, derive_credentials
from voice_emulator.core.attempts import Attempts
from voice_emulator.core.clock import Clock, ClockSpec, TimeSource
from voice_emulator.core.conservation import Conservation
from voice_emulator.core.directory import Directory
from voice_emulator.core.engine import Engine
from voice_emulator.core.events import REMEMBERED, Events
from voice_emulator.core.findings import Findings
from voice_emulator.core.ids import Ids
from voice_emulator.core.journal import BYTE_LIMIT, ENTRY_LIMIT, Journal
from voice_emulator.core.layers import Layer, merge, patch
from voice_emulator.core.ledger import ENDED_LIMIT, Ledger
from voice_emulator.core.masking import TenantSecrets
from voice_emulator.core.pushes import Outbox
from voice_emulator.core.rules import RuleBook
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.steps import Steps
from voice_emulator.core.tokens import Token, Tokens
from voice_emulator.core.totals import Totals

DEFAULT_TENANT = "default"
DEFAULT_SEED = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a tenant may remember."""

    entries: int = ENTRY_LIMIT
    entry_bytes: int = BYTE_LIMIT
    ended_calls: int = ENDED_LIMIT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What :attr:`Tenant.particulars` tells. ``asked_clock`` is what the creator asked for; ``first``, ``first_api``
    and ``begun`` are scenario, configuration and first instant at creation; ``scope`` is in every id.
    """

    scenario: Scenario
    api: Layer
    asked_clock: ClockSpec | None
    clock: Clock
    first: Scenario
    first_api: Layer
    begun: int
    resets: int
    scope: tuple[object, ...]
    loaded_at: int


@dataclass(slots=True)
class Configuration:
    """The three layers above the defaults."""

    scenario: Layer = field(default_factory=Layer)
    options: Layer = field(default_factory=Layer)
    api: Layer = field(default_factory=Layer)


def account_layer(scenario: Scenario) -> Layer:
    """What a scenario says about seed, receivers, credentials and settings."""
    urls: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    credentials: dict[str, Any] = {}
    for provider, account in scenario.providers.items():
        rest = dict(account)
        credentials[provider] = rest.pop("credentials", {})
        for name in [name for name in rest if name == "callback_url" or name.endswith("_callback_url")]:
            family = name.removesuffix("callback_url").rstrip("_")
            urls[f"{provider}_{family}" if family else provider] = rest.pop(name)
        settings[provider] = rest
    return Layer(scenario.seed, urls, settings, credentials)


class Tenant:
    """One isolated customer; see the module. ``state`` is the providers' own room, by provider id."""

    def __init__(
        self,
        id: str,
        scenario: Scenario,
        directory: Directory[Tenant],
        accounts: Mapping[str, AccountRules],
        source: TimeSource,
        *,
        clock: ClockSpec | None = None,
        options: Layer | None = None,
        api: Layer | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        """Create a tenant and enrol its credentials.

        ``clock`` is what the creator asked for (None: the scenario decides). Raises KeyTaken when
        a credential belongs to another tenant, ValueError for a bad setting.
        """
        limits = bounds or Bounds()
        self.id = id
        self.directory = directory
        self._accounts = accounts
        self._source = source
        self._asked_clock = clock
        self._layers = Configuration(account_layer(scenario), options or Layer(), api or Layer())
        self.clock = Clock(clock or scenario.clock or ClockSpec(), source)
        self._created_with = (scenario, api or Layer(), self.clock.start)
        self.rules = RuleBook(scenario)
        self.engine = Engine()
        self.outbox = Outbox(self.engine)
        self.ledger = Ledger(limits.ended_calls)
        self.tokens = Tokens()
        #: What is hidden wherever something of this tenant is shown.
        self.secrets = TenantSecrets(self.tokens)
        self.journal = Journal(limits.entries, limits.entry_bytes)
        self.attempts = Attempts(limits.ended_calls)
        # An event keeps what it is about alive, so there are no more of them than the journal keeps entries.
        self.events = Events(min(REMEMBERED, limits.entries))
        self.totals = Totals()
        self.conservation = Conservation()
        self.findings = Findings()
        self.steps = Steps(
            self.engine,
            self.outbox,
            self.ledger,
            self.totals,
            self.conservation,
            self.events,
        )
        self.state: dict[str, Any] = {}
        self.resets = 0
        self.closed = False
        #: Told when the configuration has changed; for whoever keeps it elsewhere.
        self.on_change: Callable[[], None] | None = None
        self._configure()
        self._begin()

    def _begin(self) -> None:
        self.scenario_loaded_at = self.clock.now()
        scope: tuple[object, ...] = (self.seed, self.id)
        if not self.clock.manual:
            scope = (*scope, self.clock.start, self.resets)
        self._draw_ids(scope)

    def _draw_ids(self, scope: tuple[object, ...]) -> None:
        self._scope = scope
        directory, owner = self.directory, ref(self)

        def claim(space: str, value: str) -> bool:
            tenant = owner()
            return tenant is not None and directory.issue(tenant, (ISSUED, space, value))

        self.ids = Ids(scope, claim)

    @property
    def scenario(self) -> Scenario:
        """The scenario in force."""
        return self.rules.scenario

    @property
    def now(self) -> int:
        """The present instant on this tenant's clock, in microseconds since the epoch."""
        return self.clock.now()

    def _configure(self, layers: Configuration | None = None) -> None:
        """Work out the effective configuration of ``layers`` and adopt both, or raise and change nothing."""
        layers = layers or self._layers
        raw: dict[str, Any] = {}
        parsed: dict[str, Mapping[str, Any]] = {}
        credentials: dict[str, Any] = {}
        keys: list[Key] = []
        for provider, account in self._accounts.items():
            values: Mapping[str, Any] = account.default_settings()
            own: Mapping[str, Any] = account.default_credentials
            if self.id != DEFAULT_TENANT:
                own = derive_credentials(own, self.id, provider)
            for layer in (layers.scenario, layers.options, layers.api):
                values = merge(values, layer.settings.get(provider) or {})
                own = merge(own, layer.credentials.get(provider) or {})
            raw[provider] = values
            parsed[provider] = account.read_settings(values)
            credentials[provider] = own
            keys.extend(account.credential_keys(own))
        self.directory.enrol(self, keys)
        urls: dict[str, Any] = {}
        for layer in (layers.scenario, layers.options, layers.api):
            urls = merge(urls, layer.callback_urls)
        seeds = (layers.api.seed, layers.options.seed, layers.scenario.seed, DEFAULT_SEED)
        self.seed: int = next(seed for seed in seeds if seed is not None)
        self.steps.seed = self.seed
        self.raw_settings = raw
        self.settings = parsed
        self.credentials = credentials
        self.callback_urls = {key: url for key, url in urls.items() if url}
        self._layers = layers
        self._learn_secrets()
        if self.on_change is not None:
            self.on_change()

    def _learn_secrets(self) -> None:
        accounts = [
            (self.credentials[provider], account.secrets) for provider, account in self._accounts.items()
        ]
        self.secrets.learn(accounts, self.callback_urls.values())

    def change(self, changes: Mapping[str, Any]) -> None:
        """Apply a merge patch of ``callback_urls``, ``credentials``, ``settings`` and ``seed``.

        It outlives a change of scenario. Raises KeyTaken or ValueError and then changes nothing.
        """
        api = self._layers.api
        patched = Layer(
            seed=changes.get("seed", api.seed),
            callback_urls=patch(api.callback_urls, changes.get("callback_urls") or {}),
            settings=patch(api.settings, changes.get("settings") or {}),
            credentials=patch(api.credentials, changes.get("credentials") or {}),
        )
        self._configure(Configuration(self._layers.scenario, self._layers.options, patched))

    def load(self, scenario: Scenario) -> None:
        """Put another scenario in force; all or nothing. What the API set stays.

        A tenant created without a clock of its own takes the scenario's, at its present time.
        """
        self._configure(Configuration(account_layer(scenario), self._layers.options, self._layers.api))
        wanted = scenario.clock
        if self._asked_clock is None and wanted is not None and wanted != self.clock.spec:
            self.switch_clock(wanted)
        self.rules = RuleBook(scenario)
        self.scenario_loaded_at = self.now
        self.events.publish("scenario", self.now, scenario, scenario.name)

    def switch_clock(self, spec: ClockSpec) -> None:
        """Let time go on differently from its present instant."""
        listener = self.engine.detach()
        self.clock = Clock(spec, self._source, at=self.now if spec.mode != "real" else None)
        self.engine.on_earlier(listener)
        self.events.publish("clock", self.now, self.clock, str(spec))

    def issue_token(self, family: str, holder: str, lifetime: int, value: str) -> Token:
        """Keep a token made with :attr:`ids` (which has made it unique), lifetime in microseconds."""
        token = Token(value, family, holder, self.now, lifetime)
        self.tokens.add(token)
        return token

    def account_state(self, provider: str, make: type[T]) -> T:
        """The provider's own mutable state of this tenant, made on first use, gone at reset."""
        found = self.state.get(provider)
        if not isinstance(found, make):
            found = self.state[provider] = make()
        return found

    def reset(self) -> None:
        """Forget calls, tokens, journal, counters and findings; a manual clock goes back to its start."""
        self.engine.clear()
        self.outbox.clear()
        self.ledger.clear()
        self.tokens.clear()
        self.journal.clear()
        self.attempts.clear()
        self.totals.clear()
        self.conservation.clear()
        self.findings.clear()
        self.steps.clear()
        self.rules.forget()
        self.state.clear()
        self.directory.withdraw(self)
        self.clock.rewind()
        self.resets += 1
        self._begin()
        self.events.publish("clock", self.now, self.clock, "reset")

    def restart(self, scenario: Scenario | None = None) -> None:
        """Back to the start-up state, as created: that scenario (or the given one) and configuration, then reset.

        Raises KeyTaken, and then changes nothing, when another tenant has its credentials by now.
        """
        first, api, begun = self._created_with
        scenario = scenario or first
        self._configure(Configuration(account_layer(scenario), self._layers.options, api))
        self.rules = RuleBook(scenario)
        spec = self._asked_clock or scenario.clock or ClockSpec()
        self.clock = Clock(
            spec, self._source, at=begun if spec.mode == "manual" and spec.start is None else None
        )
        self.reset()

    @property
    def particulars(self) -> Snapshot:
        """What makes this tenant the one it is, beside its calls, tokens and counters."""
        first, first_api, begun = self._created_with
        return Snapshot(
            self.scenario, self._layers.api, self._asked_clock, self.clock, first, first_api, begun,
            self.resets, self._scope, self.scenario_loaded_at,
        )  # fmt: skip

    def become(self, known: Snapshot) -> None:
        """Make this tenant, which is new, what another one was. Raises KeyTaken or ValueError."""
        layers = Configuration(account_layer(known.scenario), self._layers.options, known.api)
        self._configure(layers)
        self.rules = RuleBook(known.scenario)
        self._asked_clock, self.clock, self.resets = known.asked_clock, known.clock, known.resets
        self._created_with = (known.first, known.first_api, known.begun)
        self._draw_ids(known.scope)
        self.scenario_loaded_at = known.loaded_at

    def close(self) -> None:
        """Cancel everything pending, give up the credentials, and let go of whatever would keep this alive."""
        self.closed = True
        self.engine.clear()
        self.engine.on_earlier(None)
        self.outbox.clear()
        self.outbox.next_copies = None
        # Requests and attempts know whose they are.
        self.journal.clear()
        self.attempts.clear()
        self.events.forget()
        self.ledger.clear()
        self.state.clear()
        self.steps.clear()
        self.steps.on_end.clear()
        self.findings.derived = list
        self.secrets.masker = None
        self.directory.remove(self)
