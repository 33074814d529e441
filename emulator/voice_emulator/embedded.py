"""The emulator in a thread of your own process: ``voice_emulator.running()``."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from voice_emulator.app import Emulator, serving
from voice_emulator.client import VoiceEmulator
from voice_emulator.client.asynchronous import remember_session
from voice_emulator.core.clock import ClockSpec, clock_of
from voice_emulator.errors import ContractBug, EmulatorError, UsageError
from voice_emulator.scenarios.loader import remember_shipped
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.settings import EMBEDDED, Options
from voice_emulator.wire.http.event_loop import loop_factory

__tracebackhide__ = True

#: What serving imports on first use.
_LATE = (
    "voice_emulator.wire.control.routes", "voice_emulator.wire.control.event_stream",
    "voice_emulator.wire.control.document.openapi",
    "voice_emulator.schemas.explain", "voice_emulator.report.explanation", "voice_emulator.report.html",
    "voice_emulator.report.junit",
    "voice_emulator.report.markdown", "prometheus_client", "jsonschema_rs", "statistics",
)  # fmt: skip


class Embedded:
    """An emulator that serves in a thread, on an event loop of its own (uvloop where there is one)."""

    def __init__(self, options: Options, scenario_text: str | None = None) -> None:
        """Nothing runs yet. ``scenario_text`` stands instead of a named scenario."""
        self._options = options
        self._scenario_text = scenario_text
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._emulator: Emulator | None = None
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="voice-emulator", daemon=True)
        self.url = ""
        self.control_url = ""
        #: Whom to trust at both URLs, over TLS.
        self.trust: ssl.SSLContext | None = None

    def start(self) -> None:
        """Return once both ports serve. Raises here what went wrong there: FileError, UsageError."""
        _refuse_gevent()
        _read_ahead_of_pyfakefs()
        remember_session()
        self._thread.start()
        try:
            failure = self._ready.exception()
        except BaseException:
            self.stop()
            raise
        if failure is not None:
            self.stop()
            # A mistake of the caller's: the frames of the serving thread do not help.
            raise failure.with_traceback(None) if isinstance(failure, EmulatorError) else failure

    def stop(self) -> None:
        """Stop serving and wait for the thread to end. Raises ContractBug when ``strict`` ended it.

        In a forked child there is neither thread nor loop to stop: they are the parent's.
        """
        if os.getpid() != self._process:
            return
        loop, emulator = self._loop, self._emulator
        if loop is not None and emulator is not None:
            try:
                loop.call_soon_threadsafe(emulator.stop)
            except RuntimeError:  # the loop has ended by itself: a breach under strict
                pass
        self._thread.join()
        if emulator is not None and emulator.failure is not None:
            raise ContractBug(emulator.failure)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller's thread shall hear it
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        EMBEDDED.set(True)
        async with serving(self._options, scenario_text=self._scenario_text) as emulator:
            self._loop = asyncio.get_running_loop()
            self._emulator = emulator
            self.url, self.control_url = emulator.runtime.traffic, emulator.runtime.control
            self.trust = _trust(emulator)
            self._ready.set_result(None)
            await emulator.until_stopped()


def _refuse_gevent() -> None:
    """Raise UsageError where gevent has put its own threads and sockets in place of Python's.

    The thread that serves would be a greenlet, which waits for ever for the one that waits for it.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and (monkey.is_module_patched("threading") or monkey.is_module_patched("socket")):
        raise UsageError(
            "gevent has patched this process (gevent.monkey), and the emulator needs real threads and sockets: run "
            "`voice-emulator serve` as a process of its own, and use it with --voice-emulator-control URL or "
            "voice_emulator.client.VoiceEmulator(URL)"
        )


def _read_ahead_of_pyfakefs() -> None:
    """Read now what would be read late, when a test may have a fake file system in place (pyfakefs)."""
    if "pyfakefs" not in sys.modules:
        return
    remember_shipped()
    for schema in SchemaSet.load():
        _ = schema.document
    for name in _LATE:
        import_module(name)


def _trust(emulator: Emulator) -> ssl.SSLContext | None:
    """Whom clients in this process should trust; None over plain HTTP."""
    if emulator.runtime.ca_pem is not None:
        return ssl.create_default_context(cadata=emulator.runtime.ca_pem.decode("ascii"))
    if emulator.options.tls_cert is None:
        return None
    # A certificate of the user's own, for a host name of the user's own; this end of it is the same process.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def embedded(
    scenario: str | Path = "happy-path",
    *,
    clock: str | Mapping[str, Any] | ClockSpec | None = None,
    port: int = 0,
    control_port: int = 0,
    **options: Any,
) -> Embedded:
    """An emulator to be started, with the arguments of :func:`running`."""
    text = scenario if isinstance(scenario, str) and "\n" in scenario else None
    chosen = Options(
        scenario="happy-path" if text is not None else str(scenario),
        clock=clock if clock is None or isinstance(clock, ClockSpec) else clock_spec(clock),
        port=port,
        control_port=control_port,
        **options,
    )
    return Embedded(chosen, text)


@contextmanager
def running(
    scenario: str | Path = "happy-path",
    *,
    seed: int | None = None,
    clock: str | Mapping[str, Any] | ClockSpec | None = None,
    callback_url: str | None = None,
    port: int = 0,
    control_port: int = 0,
    **options: Any,
) -> Iterator[VoiceEmulator]:
    """Run an emulator for as long as the block runs; gives the object that the pytest fixture gives.

    It holds the tenant ``default``, whose credentials are documented and never change. ``scenario`` is
    a shipped name, a path, or YAML text (anything with a line break); ``clock`` is ``real``,
    ``manual``, ``60x``, or ``{"mode": "manual", "start": "2026-01-05T09:00:00+08:00"}``; ``port`` 0
    picks a free one. ``options`` are those of ``voice-emulator serve``, named as in
    :class:`voice_emulator.settings.Options`.

    Raises FileError for a bad scenario, UsageError for an unknown one, a bad clock or a taken port.

    >>> with voice_emulator.running(scenario="all-busy") as ve:
    ...     print(ve.url, ve.credentials.nxcloud.appkey)
    """
    emulator = embedded(
        scenario,
        seed=seed,
        clock=clock,
        callback_url=callback_url,
        port=port,
        control_port=control_port,
        **options,
    )
    emulator.start()
    try:
        token = options.get("control_token")
        held = VoiceEmulator(emulator.control_url, url=emulator.url, token=token, ssl_context=emulator.trust)
        try:
            yield held
        finally:
            held.close()
    finally:
        emulator.stop()


def clock_spec(clock: str | Mapping[str, Any]) -> ClockSpec:
    """A clock as a scenario writes it. Raises UsageError for any other value."""
    try:
        return clock_of(clock)
    except ValueError as error:
        raise UsageError(str(error)) from error
