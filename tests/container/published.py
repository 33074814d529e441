"""The public schemas of the files that CI systems and engines read; check-jsonschema carries them."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import yaml

SCHEMAS = {
    "github-workflow": "github-workflows",
    "github-action": "github-actions",
    "gitlab-ci": "gitlab-ci",
    "compose": "compose-spec",
}
#: The oldest Kubernetes whose sidecars are on by default.
KUBERNETES = "1.29"


class _Reader(yaml.SafeLoader):
    """YAML as these systems read it: `on` is a word, and GitLab's `!reference` is known."""


_Reader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Reader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def documents(text: str) -> list[Any]:
    """All documents of a YAML text."""
    return list(yaml.load_all(text, _Reader))


@cache
def _validator(kind: str) -> Any:
    # Not imported: it needs a newer click than the emulator does.
    vendor = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor")
    schema = json.loads((Path(str(vendor)) / f"{SCHEMAS[kind]}.json").read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def findings(kind: str, text: str) -> list[str]:
    """What the schema of ``kind`` has against the document(s); ``kubernetes`` is one of the kinds."""
    found = []
    for document in documents(text):
        if kind == "kubernetes":
            try:
                kubernetes_validate.validate(document, KUBERNETES, strict=True)
            except kubernetes_validate.ValidationError as error:
                found.append(str(error))
        else:
            found += [
                f"{error.json_path}: {error.message}" for error in _validator(kind).iter_errors(document)
            ]
    return found


def kind_of(document: Any) -> str | None:
    """Which of these systems a document is for, by its own words; None when it is for none of them."""
    if not isinstance(document, dict):
        return None
    if "apiVersion" in document:
        return "kubernetes"
    if "jobs" in document and "on" in document:
        return "github-workflow"
    if "runs" in document and "using" in document["runs"]:
        return "github-action"
    if isinstance(document.get("services"), dict):
        return "compose"
    if any(isinstance(value, dict) and "script" in value for value in document.values()):
        return "gitlab-ci"
    return None
