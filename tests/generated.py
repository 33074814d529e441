"""The generated files and parts of files: ``make generated`` writes them, tests/test_generated.py says which are stale.

In a page a generated part stands between ``<!-- generated: NAME -->`` and ``<!-- end of generated -->``.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import click

from tests.languages import LANGUAGES
from voice_emulator.cli import commands
from voice_emulator.cli.scenarios import schema_text
from voice_emulator.core.json_schema import Json
from voice_emulator.core.shapes import SHAPES
from voice_emulator.embedded import running
from voice_emulator.providers import kit
from voice_emulator.providers.nxcloud.errors import MESSAGE_TEXTS, SEND
from voice_emulator.providers.provider import ErrorCode, Provider
from voice_emulator.providers.registry import built_in
from voice_emulator.providers.settings import Setting
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.scenarios.mutants import find_mutants, mutant_names
from voice_emulator.schemas.fields import fields
from voice_emulator.schemas.validate import Schema, SchemaSet
from voice_emulator.settings import CONTROL_PORT, LOOPBACK, TRAFFIC_PORT

CHECKOUT = Path(__file__).parents[1]
_PART = re.compile(r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end of generated -->\n)", re.DOTALL)
_VALUES = {
    "boolean": "true, false",
    "integer": "integer",
    "decimal": "decimal",
    "text": "text",
    "texts": "list of texts",
    "mapping": "mapping",
    "words": "mapping to text",
    "entries": "mapping of entries",
    "digits": "digits",
    "tariff": "`{cycle, price, basic_price}`",
    "tariffs": "`{country_code: tariff}`",
}
_CERTAINTY = {"documented": "documented", "inferred": "inferred", "choice": "our choice"}


def files() -> dict[Path, Callable[[str], str]]:
    """Each file with a generated part, and what makes its text from the present one."""
    made: dict[Path, Callable[[str], str]] = {
        CHECKOUT / "schemas/scenario.schema.json": lambda _: schema_text(built_in()),
        CHECKOUT / "docs/languages.md": lambda page: _filled(page, {"languages": _languages}),
        CHECKOUT / "docs/llms.txt": lambda _: _guide(),
        CHECKOUT / "docs/control-api.md": lambda page: _filled(page, {"objects": _objects}),
        CHECKOUT / "docs/options.md": lambda page: _filled(page, {"options of serve": _serve_options}),
        CHECKOUT / "docs/add-a-provider.md": lambda page: _filled(page, {"kit": _kit}),
        CHECKOUT / "docs/mutate.md": lambda page: _filled(page, {"mutants": _mutants}),
    }
    for provider in built_in().values():
        parts = {
            "settings": lambda provider=provider: settings_table(provider),
            "codes": lambda provider=provider: codes_table(provider),
            "fields": lambda provider=provider: fields_tables(provider),
        }
        made[CHECKOUT / f"docs/providers/{provider.id}.md"] = lambda page, parts=parts: _filled(page, parts)
    return made


def _filled(page: str, parts: dict[str, Callable[[], str]]) -> str:
    """The page with each of its generated parts regenerated. Raises ValueError unless it has every part once."""
    found = [match[2] for match in _PART.finditer(page)]
    if sorted(found) != sorted(parts):
        raise ValueError(f"the page has the generated parts {found}, and should have {sorted(parts)}")
    return _PART.sub(lambda match: f"{match[1]}\n{parts[match[2]]()}\n{match[3]}", page)


def _languages() -> str:
    """The five side by side: where each is and how it is run, and the test that its planted bug breaks."""
    rows = [
        f"| [{each.name}](../examples/{each.folder}) | [`{each.helper}`](../examples/{each.folder}/{each.helper}) "
        f"| [`{each.service}`](../examples/{each.folder}/{each.service}) "
        f"| [`{each.test}`](../examples/{each.folder}/{each.test}), {each.framework} | `{each.by_hand}` |"
        for each in LANGUAGES
    ]
    table = ["| | the helper to copy | the service | its tests | run by |", "|---|---|---|---|---|", *rows]
    tests = [f"### {each.name}\n\n```{each.block}\n{each.twice()}\n```" for each in LANGUAGES]
    return "\n".join(table) + "\n\n" + "\n\n".join(tests)


def _mutants() -> str:
    """Every mutant with the providers that it applies to, its cost, and the scenario that shows the same."""
    providers = built_in()
    loader = ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})
    rows = ["| mutant | at | what it costs in production | shown by |", "|---|---|---|---|"]
    for name in mutant_names():
        found = find_mutants(name, loader, providers)
        everywhere = len(found) == len(providers)
        where = "all" if everywhere else ", ".join(f"`{mutant.provider}`" for mutant in found)
        rows.append(f"| `{name}` | {where} | {found[0].cost} | `{found[0].caught_by}` |")
    return "\n".join(rows)


def _guide() -> str:
    """What an emulator with the default ports serves at ``/llms.txt``."""
    with running(provider_plugins=False) as emulator, urlopen(f"{emulator.control_url}/llms.txt") as reply:
        text = reply.read().decode()
        ports = {
            emulator.control_url: f"http://{LOOPBACK}:{CONTROL_PORT}",
            emulator.url: f"http://{LOOPBACK}:{TRAFFIC_PORT}",
        }
    for mine, usual in ports.items():
        text = text.replace(mine, usual)
    return text


def _kit() -> str:
    """Every public name of the provider kit with its types and the first sentence of its documentation."""
    modules = (import_module(f"{kit.__name__}.{each.name}") for each in pkgutil.iter_modules(kit.__path__))
    return "\n\n".join(_names_of(module) for module in modules)


def _names_of(module: ModuleType) -> str:
    lines = [f"**`{module.__name__.removeprefix('voice_emulator.providers.')}`**: {_sentence(module)}", ""]
    for name, value in vars(module).items():
        public = not name.startswith("_") and (inspect.isfunction(value) or inspect.isclass(value))
        if public and value.__module__ == module.__name__:
            lines.append(f"* `{name}{_types(value)}`: {_sentence(value)}")
    return "\n".join(lines)


def _sentence(thing: object) -> str:
    first = inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0]
    return " ".join(first.replace("``", "`").split())


def _types(thing: Callable[..., object]) -> str:
    """The signature as it stands in the source."""

    def one(parameter: inspect.Parameter) -> str:
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        default = parameter.default
        shown = default.__name__ if callable(default) else repr(default)
        return f"{star}{parameter.name}: {parameter.annotation}" + (
            "" if default is parameter.empty else f" = {shown}"
        )

    signature = inspect.signature(thing)
    result = "" if inspect.isclass(thing) else f" -> {signature.return_annotation}"
    return f"({', '.join(map(one, signature.parameters.values()))}){result}"


def settings_table(provider: Provider) -> str:
    """The settings of a provider's accounts."""
    return _table(
        ("setting", "default", "values", "what it does", "certainty"),
        (
            (
                f"`{setting.name}`",
                f"`{default_text(setting.default)}`",
                _values(setting),
                setting.description + (f" ({setting.source})" if setting.source else ""),
                _CERTAINTY[setting.provenance],
            )
            for setting in provider.settings.settings.values()
        ),
    )


def default_text(value: object) -> str:
    """A JSON value as a scenario file may have it: text without quotes, unless it is empty."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _values(setting: Setting) -> str:
    words = ", ".join(f"`{word}`" for word in setting.choices) or setting.form or _VALUES[setting.kind]
    kind = {"texts": "list of ", "words": "mapping to "}.get(setting.kind, "") if setting.choices else ""
    least = f" from {setting.minimum}" if setting.minimum is not None else ""
    most = f" to {setting.maximum}" if setting.maximum is not None else ""
    return kind + words + least + most + (" or `null`" if setting.optional else "")


def codes_table(provider: Provider) -> str:
    """The codes a provider may answer with."""
    return _table(
        ("code", "name", "operations", "text", "how to provoke it", "certainty"),
        (
            (
                f"`{error.code}`",
                f"`{error.name}`",
                ", ".join(name for name in provider.operations if name in error.operations) or "all",
                _text(provider, error),
                error.how,
                _CERTAINTY[error.provenance],
            )
            for error in provider.errors
        ),
    )


def fields_tables(provider: Provider) -> str:
    """Every field of every request, reply and receipt: how certain it is and by what, and how ``drift`` compares it."""
    schemas = SchemaSet.load({provider.id: provider})
    used = [
        (name, name.partition("/")[2])
        for operation in provider.operations.values()
        for name in (operation.request, operation.reply)
    ] + [(kind.schema, kind.schema.partition("/")[2]) for kind in provider.receipts.values()]
    return "\n\n".join(
        f"**{shown}**: {_prose(schemas.get(name).document['$comment'])}\n\n"
        + _fields_table(schemas.get(name)).rstrip()
        for name, shown in dict(used).items()
    )


def _fields_table(schema: Schema) -> str:
    return _table(
        ("field", "certainty", "compared as", "remark"),
        (
            (
                f"`{one.path[1:].replace('/*', '[]').replace('/', '.')}`",
                _CERTAINTY[one.provenance],
                one.kind,
                _prose(one.says("$comment") or ""),
            )
            for one in fields(schema.document).values()
        ),
    )


def _prose(text: str) -> str:
    """Words of a schema where Markdown would read them: braces and angles stay what they are."""
    return re.sub(r"([*<>|])", r"\\\1", text)


def _text(provider: Provider, error: ErrorCode) -> str:
    text = f"`{error.text}`"
    if error.meaning not in ("", error.text):
        text += f" ({error.meaning})"
    other = MESSAGE_TEXTS.get(error.code, error.text)
    if provider.id == "nxcloud" and error.operations <= SEND and other != error.text:
        text += f"; dialect message: `{other}`"
    return text


def _serve_options() -> str:
    rows = []
    serve = commands.get_command(click.Context(commands), "serve")
    assert serve is not None
    for option in serve.params:
        assert isinstance(option, click.Option)
        value = "" if option.is_flag else f" {option.make_metavar(click.Context(serve))}"
        default = option.default if option.show_default else None
        rows.append(
            (
                f"`{option.opts[0]}{value}`",
                f"`{option.envvar}`",
                ""
                if default is None
                else f"`{' '.join(default) if isinstance(default, tuple) else default}`",
                (option.help or "") + (" May be given several times." if option.multiple else ""),
            )
        )
    return _table(("option", "environment variable", "default", "what it does"), rows)


def _objects() -> str:
    """Each object of the control API with its members."""
    return "\n".join(f"### {shape.__name__}\n\n{_object(shape.schema())}" for shape in SHAPES)


def _object(schema: Json) -> str:
    rows = [
        (f"`{name}`", _value(member) + ("" if name in schema["required"] else "; may be absent"))
        for name, member in schema["properties"].items()
    ]
    return f"{schema['description'].replace('``', '`')}\n\n{_table(('member', 'value'), rows)}"


def _value(schema: Json) -> str:
    """A schema of a member in words."""
    if "anyOf" in schema:
        return " or ".join(map(_value, schema["anyOf"]))
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    names = {"string": "text", "integer": "whole number", "null": "`null`", "date-time": "time"}
    words = " or ".join(
        names["date-time"] if one == "string" and "format" in schema else names.get(one, one) for one in types
    )
    if schema.get("pattern", "").startswith("^[0-9]+("):
        words = "decimal number as text"
    if "array" in types:
        words = (
            f"list of {_value(schema['items'])}"
            if schema["items"].get("type") != "array"
            else "list of pairs of text"
        )
    return words + (f". {schema['description']}" if "description" in schema else "")


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    head = tuple(columns)
    body = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    lines = [f"| {' | '.join(cells)} |\n" for cells in (head, *body)]
    return "".join([lines[0], "|---" * len(head) + "|\n", *lines[1:]])


def main() -> None:
    """Write every file that is stale."""
    for path, make in files().items():
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        text = make(present)
        if text != present:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(CHECKOUT)}")


if __name__ == "__main__":
    main()
