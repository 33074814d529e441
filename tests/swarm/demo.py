"""Hunt for the bugs of the twelve clients in tests/swarm/clients, each a process of its own that is kept running.

    python -m tests.swarm.demo [NAME...]

Prints a line for each client: the seed that showed its bug, the runs, and the smallest scenario. Exits 1 where a bug is
not found, not small, or where the correct client fails under the same scenario.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
import threading
from pathlib import Path

from tests.swarm.clients.mutants import MUTANTS, provider_of
from voice_emulator.swarm import results
from voice_emulator.swarm.hunt import Hunt
from voice_emulator.swarm.session import Setup, make_catalogue, opened
from voice_emulator.swarm.space import make_space, numbers
from voice_emulator.swarm.subject import Commands
from voice_emulator.version import version

HERE = "http://127.0.0.1:{port}"
SEEDS, RUNS_LIMIT, LINES, RULES, SHRINKING = 200, 1_200, 15, 2, 60
_ASK = "curl -sf --noproxy * -X POST"


def setup(name: str) -> Setup:
    """The client in a process of its own, driven by curl and told the time."""
    commands = Commands(
        cmd=("sh", "-c", 'curl -sf --noproxy "*" "http://127.0.0.1:$0/dial" -d "$VOICE_EMULATOR_NUMBERS"', "{port}"),
        app=f"{shlex.quote(sys.executable)} -m tests.swarm.clients {name} {{port}}", app_ready=f"{HERE}/calls",
        keep_app=True, reset=f"{HERE}/reset", check=f"{_ASK} {HERE}/check", client_clock=f"tick={HERE}/tick",
    )  # fmt: skip
    return Setup(commands, probe=f"{HERE}/calls")


def hunt(name: str, directory: Path) -> tuple[int, list[str]]:
    """Runs made, and what is wrong with what was found."""
    space = make_space(make_catalogue(), providers=[provider_of(name)])
    with opened(setup(name), threading.Event()) as (runner,):
        outcome = Hunt(space, [runner], range(1, SEEDS + 1), numbers(6), 3_600, first=True).run()
        if not outcome.found:
            return outcome.runs, [f"not found in {outcome.seeds} seeds"]
        found = min(outcome.found, key=lambda each: len(each.shrunk.scenario.rules))
        kept = results.read(results.save(found, directory, {}, version()))
        fails = runner.run(kept.scenario, kept.numbers).failed_as(found.failure) is not None
    with opened(setup(provider_of(name)), threading.Event()) as (correct,):
        repaired = not correct.run(kept.scenario, kept.numbers).failures
    lines = len(found.shrunk.scenario.text.splitlines())
    wrong = [
        message
        for right, message in (
            (found.shrunk.stable, "does not repeat"),
            (len(found.shrunk.scenario.rules) <= RULES, f"{len(found.shrunk.scenario.rules)} rules"),
            (lines <= LINES, f"{lines} lines"),
            (found.shrunk.runs <= SHRINKING, f"{found.shrunk.runs} runs to shrink"),
            (fails, "its replay passes"),
            (repaired, "the correct client fails under it"),
        )
        if not right
    ]
    print(f"{name}: seed {found.seed}, {outcome.runs} runs, {found.failure.title}", flush=True)
    print("".join(f"    {line}\n" for line in found.shrunk.scenario.text.splitlines()[4:]), flush=True)
    return outcome.runs + 2, wrong


def main() -> None:
    total, failed = 0, False
    with tempfile.TemporaryDirectory() as directory:
        for name in sys.argv[1:] or MUTANTS:
            runs, wrong = hunt(name, Path(directory))
            total += runs
            failed |= bool(wrong)
            for message in wrong:
                print(f"{name}: {message}", flush=True)
    print(f"{total} runs of at most {RUNS_LIMIT}")
    sys.exit(1 if failed or total > RUNS_LIMIT else 0)


if __name__ == "__main__":
    main()
