"""The fields of a schema: where each is, and what its annotations say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from voice_emulator.schemas.validate import KIND, PROVENANCE, SECRET

Kind = Literal["exact", "id", "time", "money", "free"]
#: How a value is compared with the provider's, and what that means.
KINDS: Mapping[Kind, str] = {
    "exact": "the same value and type",
    "id": "another value of the same alphabet and length, the same wherever the first one is",
    "time": "the same format, and the same instant to 2 s",
    "money": "the same amount and type",
    "free": "the same type",
}
#: In a path, any element of a list.
EACH = "*"
_ALTERNATIVES = ("oneOf", "anyOf", "allOf")


@dataclass(slots=True)
class Field:
    """One field. ``documents`` are its schemas: one as a rule, several where alternatives describe it."""

    path: str
    documents: list[Mapping[str, Any]] = field(default_factory=list)

    def says(self, keyword: str) -> Any:
        """The first value of an annotation; None without one."""
        return next((each[keyword] for each in self.documents if keyword in each), None)

    @property
    def kind(self) -> Kind:
        """Its ``x-kind``; a missing one counts as ``exact``."""
        return cast("Kind", self.says(KIND) or "exact")

    @property
    def provenance(self) -> str:
        """How certain the least certain of its schemas is; without an annotation, documented."""
        said = {each.get(PROVENANCE, "documented") for each in self.documents}
        return next(each for each in ("choice", "inferred", "documented") if each in said)

    @property
    def secret(self) -> bool:
        """Whether its value is masked."""
        return self.says(SECRET) is True

    @property
    def whole_number(self) -> bool:
        """Whether it is a whole number and nothing else: so are ids that count."""
        return all(each.get("type") == "integer" for each in self.documents)


def fields(document: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of a schema that have no members of their own, by path: ``/data/bills/*/id``."""
    found: dict[str, Field] = {}
    _collect(document, document, "", found, ())
    return found


def _collect(
    part: Any, root: Mapping[str, Any], path: str, found: dict[str, Field], above: tuple[int, ...]
) -> None:
    for one in _meant(part, root, above):
        for name, member in one.get("properties", {}).items():
            inner = f"{path}/{name}"
            if _has_members(member, root, above):
                _collect(member, root, inner, found, (*above, id(one)))
            else:
                found.setdefault(inner, Field(inner)).documents.append(member)
        if "items" in one:
            _collect(one["items"], root, f"{path}/{EACH}", found, (*above, id(one)))


def _has_members(part: Any, root: Mapping[str, Any], above: tuple[int, ...]) -> bool:
    return any(
        one.get("properties") or ("items" in one and _has_members(one["items"], root, (*above, id(one))))
        for one in _meant(part, root, above)
    )


def _meant(part: Any, root: Mapping[str, Any], above: tuple[int, ...]) -> Iterator[Mapping[str, Any]]:
    """The schema itself and all its alternatives, references followed."""
    if not isinstance(part, Mapping) or id(part) in above:
        return
    reference = part.get("$ref")
    if isinstance(reference, str):
        target: Any = root
        for step in reference.removeprefix("#").split("/")[1:]:
            target = target[step]
        yield from _meant(target, root, (*above, id(part)))
    yield part
    for keyword in _ALTERNATIVES:
        for one in part.get(keyword, ()):
            yield from _meant(one, root, (*above, id(part)))
