"""``${NAME}`` and ``${NAME:-default}`` in the values of a scenario."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from voice_emulator.core.values import plain_value
from voice_emulator.settings import option

# Either an escaped dollar, a whole reference, or a brace that begins something else.
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{")


class EnvironmentProblem(ValueError):
    """A reference that cannot be filled in; the message says why."""


@plain_value
class Variables:
    """What references may name: ``values``, and what is said (``missing``) of a name that is not among them.

    No message names another variable: the author of the text may not be allowed to know it.
    """

    values: Mapping[str, str]
    missing: str = "the environment variable {name} is not set; ${{{name}:-default}} does without it"


def variables_sent(environ: Mapping[str, str], allowed: Collection[str]) -> Variables:
    """What a text that came over HTTP may refer to: of ``environ``, only the ``allowed`` names.

    The message is the same for a variable that is set and one that is not.
    """
    return Variables(
        {name: environ[name] for name in allowed if name in environ},
        "${{{name}}} has no value in a scenario sent over HTTP; write ${{{name}:-default}}, or start the "
        "emulator with " + option("--scenario-env {name}", "scenario_env=('{name}',)") + " (and {name} set)",
    )


def expand(text: str, variables: Variables) -> str:
    """``text`` with every reference replaced; ``$${`` stands for a literal ``${``.

    As in a shell, the default also stands in for a variable that is set but empty. What comes in is
    text and stays text: it is never read as YAML. Raises EnvironmentProblem.
    """
    values = variables.values
    if "${" not in text:
        return text

    def value_of(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name = match[1]
        if name is None:
            raise EnvironmentProblem(
                "${ begins no variable; write ${NAME} or ${NAME:-default}, and $${ for a literal ${"
            )
        if match[2] is not None:
            return values.get(name) or match[3]
        if name not in values:
            raise EnvironmentProblem(variables.missing.format(name=name))
        return values[name]

    return _REFERENCE.sub(value_of, text)
