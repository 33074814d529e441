"""``serve --help``: the options in groups, with examples."""

from __future__ import annotations

import click

#: The options of each group, in the order they are shown. A test sees that each is in one.
GROUPS = {
    "What is simulated": ("--scenario", "--watch", "--scenario-env", "--seed", "--clock", "--clock-start", "--auth"),
    "Where it listens": ("--port", "--control-port", "--host", "--allow-host", "--control-token"),
    "Pushes": (
        "--callback-url", "--allow-callback-host", "--rewrite-callback", "--callback-timeout", "--callback-ca",
    ),
    "TLS": ("--tls-self-signed", "--tls-cert", "--tls-key", "--tls-fault"),
    "Output": ("--access-log", "--quiet", "--log-format", "--report-on-exit", "--strict"),
    "What is kept": ("--state", "--calls-limit", "--journal-limit"),
    "Several replicas": ("--node-url", "--node-secret", "--lease"),
}  # fmt: skip

EXAMPLES = (
    ("voice-emulator serve --callback-url http://127.0.0.1:9000/dr", "push all receipts to your receiver"),
    ("voice-emulator serve --scenario mine.yaml --watch", "use your own scenario, and reload it as you edit"),
    ("voice-emulator serve --scenario all-busy --clock 60x", "a minute passes in a second"),
    (
        "voice-emulator serve --port 0 --control-port 0",
        "pick free ports; the line on standard output shows them",
    ),
    (
        "voice-emulator serve --host 0.0.0.0 --control-token SECRET",
        "serve other machines, and let nobody change anything without the token",
    ),
)


class Grouped(click.Command):
    """A command whose help shows its options by :data:`GROUPS`, and :data:`EXAMPLES` below them."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The groups, then what is in none of them (``--help``)."""
        records = {
            parameter.opts[0]: record
            for parameter in self.get_params(ctx)
            if (record := parameter.get_help_record(ctx)) is not None
        }
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([records.pop(name) for name in names])
        with formatter.section("Other"):
            formatter.write_dl(list(records.values()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples."""
        with formatter.section("Examples"):
            for position, (line, what) in enumerate(EXAMPLES):
                if position:
                    formatter.write_paragraph()
                formatter.write_text(f"# {what}")
                formatter.write_text(line)
