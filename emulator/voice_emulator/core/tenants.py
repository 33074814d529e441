"""A tenant: one customer of all providers, and the only owner of its mutable state.

Everything that changes belongs to a :class:`Tenant` and changes through its methods, so that it can be reset and saved.
Nothing is global.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from voice_emulator.core.listeners import Listeners
from voice_emulator.core.masking import TenantSecrets
from voice_emulator.core.overlay import NO_OVERLAY, Overlay
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
    """How much a tenant remembers."""

    entries: int = ENTRY_LIMIT
    entry_bytes: int = BYTE_LIMIT
    ended_calls: int = ENDED_LIMIT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Configuration, clock and identity of a tenant, without its calls, tokens and counters.

    ``asked_clock`` is what the creator asked for; ``first``, ``first_api`` and ``begun`` are scenario, configuration
    and first instant at creation; ``scope`` is part of the key of every id.
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
    """Seed, receivers, credentials and settings of a scenario."""
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
    """One isolated customer. ``state`` holds the providers' own state, by provider id."""

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
        overlay: Overlay = NO_OVERLAY,
    ) -> None:
        """Create a tenant and register its credentials.

        ``clock`` is what the creator asked for (default: the scenario's), ``overlay`` is laid over every scenario. Raises
        KeyTaken if a credential belongs to another tenant, ValueError for a bad setting.
        """
        limits = bounds or Bounds()
        self.id = id
        self.directory = directory
        self._accounts = accounts
        self._source = source
        self._asked_clock = clock
        self._overlay = overlay
        self._layers = Configuration(account_layer(scenario), options or Layer(), api or Layer())
        self.clock = Clock(clock or scenario.clock or ClockSpec(), source)
        self._created_with = (scenario, api or Layer(), self.clock.start)
        self.rules = self._rules_of(scenario)
        #: Told by the parts below; silent until the tenancy registers its own, and once the tenant is closed.
        self.listeners = Listeners()
        self.engine = Engine(self.listeners)
        self.outbox = Outbox(self.engine, self.listeners)
        self.ledger = Ledger(limits.ended_calls)
        self.tokens = Tokens(self.listeners)
        #: What is masked wherever something of this tenant is shown.
        self.secrets = TenantSecrets(self.tokens)
        self.journal = Journal(limits.entries, limits.entry_bytes)
        self.attempts = Attempts(limits.ended_calls)
        # An event keeps its subject alive, so there are at most as many events as journal entries.
        self.events = Events(min(REMEMBERED, limits.entries), self.listeners)
        self.totals = Totals()
        self.conservation = Conservation(self.listeners)
        self.findings = Findings(self.listeners)
        self.steps = Steps(
            self.engine, self.outbox, self.ledger, self.totals, self.conservation, self.events, self.listeners
        )
        self.state: dict[str, Any] = {}
        self.resets = 0
        self.closed = False
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
    def options(self) -> Layer:
        """What the command line says of the configuration."""
        return self._layers.options

    @property
    def now(self) -> int:
        """The present instant on this tenant's clock, in microseconds since the epoch."""
        return self.clock.now()

    def _configure(self, layers: Configuration | None = None) -> None:
        """Compute the effective configuration of ``layers`` and use both, or raise and change nothing."""
        layers = layers or self._layers
        raw: dict[str, Any] = {}
        parsed: dict[str, Mapping[str, Any]] = {}
        credentials: dict[str, Any] = {}
        keys: list[Key] = []
        for provider, account in self._accounts.items():
            own: Mapping[str, Any] = account.default_credentials
            if self.id != DEFAULT_TENANT:
                own = derive_credentials(own, self.id, provider)
            for layer in (layers.scenario, layers.options, layers.api):
                own = merge(own, layer.credentials.get(provider) or {})
            below = self._settings_of(provider, layers)
            raw[provider] = merge(below, self._overlay.settings.get(provider) or {})
            parsed[provider] = account.read_settings(raw[provider])
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
        self.secrets.learn(
            [(credentials[provider], account.secrets) for provider, account in self._accounts.items()],
            self.callback_urls.values(),
        )
        for told in self.listeners.tenant_configured:
            told()

    def _settings_of(self, provider: str, layers: Configuration) -> Mapping[str, Any]:
        values: Mapping[str, Any] = self._accounts[provider].default_settings()
        for layer in (layers.scenario, layers.options, layers.api):
            values = merge(values, layer.settings.get(provider) or {})
        return values

    def settings_below(self, provider: str) -> Mapping[str, Any]:
        """The settings as they were without the overlay."""
        return self._accounts[provider].read_settings(self._settings_of(provider, self._layers))

    def change(self, changes: Mapping[str, Any]) -> None:
        """Apply a merge patch of ``callback_urls``, ``credentials``, ``settings`` and ``seed``.

        It stays when the scenario changes. Raises KeyTaken or ValueError and then changes nothing.
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
        """Use another scenario, or raise and change nothing. What the API set stays.

        A tenant created without a clock takes the scenario's, at its present time.
        """
        self._configure(Configuration(account_layer(scenario), self._layers.options, self._layers.api))
        wanted = scenario.clock
        if self._asked_clock is None and wanted is not None and wanted != self.clock.spec:
            self.switch_clock(wanted)
        self.rules = self._rules_of(scenario)
        self.scenario_loaded_at = self.now
        self.events.publish("scenario", self.now, scenario, scenario.name)

    def lay_over(self, overlay: Overlay) -> None:
        """Lay another overlay over the present scenario and all later ones; the counters of rules are set to zero.

        Raises ValueError for a bad setting.
        """
        self._overlay = overlay
        self._configure()
        self.rules = self._rules_of(self.scenario)

    def _rules_of(self, scenario: Scenario) -> RuleBook:
        return RuleBook(scenario, self._overlay.rules)

    def switch_clock(self, spec: ClockSpec) -> None:
        """Continue with another clock from the present instant."""
        self.clock = Clock(spec, self._source, at=self.now if spec.mode != "real" else None)
        due = self.engine.next_due()
        if due is not None:
            for told in self.listeners.due_earlier:
                told(due)
        self.events.publish("clock", self.now, self.clock, str(spec))

    def issue_token(self, family: str, holder: str, lifetime: int, value: str) -> Token:
        """Keep a token whose value :attr:`ids` made; ``lifetime`` is in microseconds."""
        token = Token(value, family, holder, self.now, lifetime)
        self.tokens.add(token)
        return token

    def account_state(self, provider: str, make: type[T]) -> T:
        """The provider's own state of this tenant, made on first use and forgotten at a reset."""
        found = self.state.get(provider)
        if not isinstance(found, make):
            found = self.state[provider] = make()
        return found

    def reset(self) -> None:
        """Forget calls, tokens, journal, counters and findings; a manual clock goes back to its start."""
        for told in self.listeners.tenant_clearing:
            told()
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
        """Reset, with the scenario (or the given one) and configuration that the tenant was created with.

        Raises KeyTaken, and then changes nothing, if another tenant has these credentials now.
        """
        first, api, begun = self._created_with
        scenario = scenario or first
        self._configure(Configuration(account_layer(scenario), self._layers.options, api))
        self.rules = self._rules_of(scenario)
        spec = self._asked_clock or scenario.clock or ClockSpec()
        self.clock = Clock(
            spec, self._source, at=begun if spec.mode == "manual" and spec.start is None else None
        )
        self.reset()

    def snapshot(self) -> Snapshot:
        """Configuration, clock and identity of this tenant: what :meth:`restore` needs."""
        first, first_api, begun = self._created_with
        return Snapshot(
            self.scenario, self._layers.api, self._asked_clock, self.clock, first, first_api, begun,
            self.resets, self._scope, self.scenario_loaded_at,
        )  # fmt: skip

    def restore(self, saved: Snapshot) -> None:
        """Make this new tenant the one that ``saved`` was taken of. Raises KeyTaken or ValueError."""
        self._configure(Configuration(account_layer(saved.scenario), self._layers.options, saved.api))
        self.rules = self._rules_of(saved.scenario)
        self._asked_clock, self.clock, self.resets = saved.asked_clock, saved.clock, saved.resets
        self._created_with = (saved.first, saved.first_api, saved.begun)
        self._draw_ids(saved.scope)
        self.scenario_loaded_at = saved.loaded_at

    def close(self) -> None:
        """Cancel everything pending, give up the credentials, and drop all references that form a cycle."""
        self.closed = True
        self.engine.clear()
        self.outbox.clear()
        self.outbox.next_copies = None
        # Requests and attempts refer to their tenant.
        self.journal.clear()
        self.attempts.clear()
        self.events.forget()
        self.ledger.clear()
        self.state.clear()
        self.steps.clear()
        self.listeners.clear()
        self.secrets.masker = None
        self.directory.remove(self)
