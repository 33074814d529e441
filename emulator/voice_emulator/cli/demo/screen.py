"""What the demo shows: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from voice_emulator.cli.demo.calls import Sent
from voice_emulator.cli.terminal import echo
from voice_emulator.core.words import counted

NEXT_STEPS = (
    "Next: `make run` or `voice-emulator serve`, then point your client at http://127.0.0.1:4880.",
    "README.md has a request of each provider to paste; `voice-emulator listen` shows what a receiver gets.",
)
#: Columns from which the table has room for the names of the providers' fields.
ROOMY = 100
_STYLES = {"answered": "green", "busy": "yellow", "no_answer": "red"}


@dataclass(frozen=True, slots=True)
class Row:
    """One receipt. ``says`` is what the receipt itself gives as the reason, ``talk`` whole seconds."""

    provider: str
    number: str
    id: str
    outcome: str
    talk: int
    says: str


@dataclass(frozen=True, slots=True)
class Result:
    """How the demo went: the receipts that came, out of how many, and in how many real seconds."""

    rows: tuple[Row, ...]
    wanted: int
    seconds: float

    @property
    def line(self) -> str:
        """The result in one line."""
        outcomes = Counter(row.outcome for row in self.rows)
        providers = Counter(row.provider for row in self.rows)
        mix = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
        whose = ", ".join(f"{provider} {count}" for provider, count in providers.items())
        return f"{len(self.rows)} of {self.wanted} receipts in {self.seconds:.1f} s: {mix} ({whose})"


class Screen(Protocol):
    """Told of everything as it happens."""

    def begin(self, emulator: str, receiver: str, wanted: int) -> None:
        """Both servers listen, at these URLs; ``wanted`` receipts are to come."""

    def sent(self, sent: Sent) -> None:
        """A request was accepted."""

    def arrived(self, row: Row) -> None:
        """A receipt arrived."""

    def end(self, result: Result | None) -> None:
        """It is over; without a result something went wrong, and the command says what."""


def _dialled(sent: Sent) -> str:
    return counted(sent.numbers, "number") if sent.numbers else "-"


class PlainScreen:
    """Lines, each complete in itself, for logs and pipes."""

    def __init__(self) -> None:
        self._count = 0
        self._wanted = 0

    def begin(self, emulator: str, receiver: str, wanted: int) -> None:
        """Where everything is."""
        self._wanted = wanted
        echo(f"emulator at {emulator}, receiver at {receiver}; a minute of calls passes in a second")

    def sent(self, sent: Sent) -> None:
        """One line a request."""
        echo(f"request  {sent.provider:<10}  {sent.operation:<23}  {_dialled(sent):<9}  {sent.answer}")

    def arrived(self, row: Row) -> None:
        """One line a receipt."""
        self._count += 1
        cells = (
            f"{row.provider:<10}", f"{row.number:<13}", f"{row.id:<32}", f"{row.outcome:<9}",
            f"{row.talk:>3} s", row.says, f"({self._count}/{self._wanted})",
        )  # fmt: skip
        echo("receipt  " + "  ".join(cells))

    def end(self, result: Result | None) -> None:
        """The result, and what to do next."""
        if result is not None:
            echo(result.line)
            for line in NEXT_STEPS:
                echo(line)


class LiveScreen:
    """A table that grows as receipts arrive, under it a progress bar."""

    def __init__(self) -> None:
        from rich import box
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Table

        self._console = Console(highlight=False)
        self._table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
        self._table.add_column("provider", style="bold", no_wrap=True)
        self._table.add_column("number", no_wrap=True)
        self._table.add_column("its id", style="dim", no_wrap=True, overflow="ellipsis", ratio=1)
        self._table.add_column("outcome", no_wrap=True)
        self._table.add_column("talk", justify="right", no_wrap=True)
        self._table.add_column("the receipt says", style="cyan", no_wrap=True)
        self._progress = Progress(
            TextColumn("receipts"), BarColumn(bar_width=None), MofNCompleteColumn(), TimeElapsedColumn(),
            console=self._console, expand=True,
        )  # fmt: skip
        self._live = Live(Group(self._table, self._progress), console=self._console, refresh_per_second=15)

    def begin(self, emulator: str, receiver: str, wanted: int) -> None:
        """Open the live part."""
        from rich.panel import Panel

        self._console.print(
            Panel(
                f"[bold]emulator[/]  {emulator}\n[bold]receiver[/]  {receiver}\n"
                "[dim]Real HTTP on both sides; a minute of calls passes in a second.[/]",
                title="voice-emulator demo", title_align="left", border_style="cyan", expand=False,
            )
        )  # fmt: skip
        self._task = self._progress.add_task("receipts", total=wanted)
        self._live.start()

    def sent(self, sent: Sent) -> None:
        """A line above the table."""
        from rich.markup import escape

        from voice_emulator.core.words import visible

        what = f"[bold]{sent.provider:<10}[/]  {sent.operation:<23}  {_dialled(sent):<9}"
        line = f"[green]✓[/] {what}  [dim]{escape(visible(sent.answer))}[/]"
        self._console.print(line, no_wrap=True, overflow="ellipsis")

    def arrived(self, row: Row) -> None:
        """A row of the table."""
        from rich.text import Text

        outcome = Text(row.outcome, _STYLES.get(row.outcome, ""))
        # On a narrow terminal the field's name goes, so that the id stays.
        says = row.says if self._console.width >= ROOMY else row.says.partition("=")[2]
        self._table.add_row(row.provider, row.number, Text(row.id), outcome, f"{row.talk} s", Text(says))
        self._progress.advance(self._task)

    def end(self, result: Result | None) -> None:
        """Close the live part and print the result."""
        self._live.stop()
        if result is not None:
            self._console.print(f"\n[bold green]✓[/] {result.line}\n", soft_wrap=True)
            for line in NEXT_STEPS:
                self._console.print(line, markup=False, soft_wrap=True)


def screen_for(terminal: bool) -> Screen:
    """A live screen for a terminal, lines for anything else."""
    return LiveScreen() if terminal else PlainScreen()
