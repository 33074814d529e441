"""The environment variables of commands: which are ours, which Kubernetes puts there, and which are misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from voice_emulator.core.words import nearest

PREFIX = "VOICE_EMULATOR_"
#: Variables that other commands, the pytest plugin and the programs that they start know.
_OTHERS = frozenset(
    {
        f"{PREFIX}{name}"
        for name in (
            "CA", "CONTROL", "CONTROL_TOKEN", "INSECURE", "MUTANT", "MUTANT_LOG", "MUTANT_PROVIDER",
            "NO_PROVIDER_PLUGINS", "NUMBERS",
            "RECEIVER_PORT", "RUN_DIR", "SHARED_KEY", "TENANT", "URL",
        )
    }
)  # fmt: skip
#: What Kubernetes puts into every pod for a Service that is called like us, in the style of Docker's links:
#: ``VOICE_EMULATOR_PORT=tcp://10.0.0.1:4880``, ``VOICE_EMULATOR_SERVICE_HOST``, ``VOICE_EMULATOR_PORT_4880_TCP_ADDR``.
_INJECTED_VALUE = re.compile(r"(?:tcp|udp|sctp)://")
_INJECTED_NAME = re.compile(r"_SERVICE_|_PORT_")


def injected(name: str, value: str) -> bool:
    """Whether a variable comes from Kubernetes and not from somebody who sets an option."""
    return _INJECTED_VALUE.match(value) is not None or _INJECTED_NAME.search(name) is not None


def given(name: str, environment: Mapping[str, str]) -> str | None:
    """The value of a variable of ours; None when it is not set, or when Kubernetes has set it."""
    value = environment.get(name)
    return None if value is None or injected(name, value) else value


def misspelt(environment: Mapping[str, str], options: Iterable[str], providers: Iterable[str]) -> list[str]:
    """A sentence for each variable that looks like one of ours and is none.

    ``options`` are the variables of the command, ``providers`` the ids whose credentials may be there too.
    """
    known = {*options, *_OTHERS}
    credentials = tuple(f"{PREFIX}{provider.upper()}_" for provider in providers)
    return [
        f"unknown environment variable {name}{nearest(name, sorted(known))}"
        for name, value in sorted(environment.items())
        if name.startswith(PREFIX)
        and name not in known
        and not name.startswith(credentials)
        and not injected(name, value)
    ]
