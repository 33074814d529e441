"""``${NAME}`` and ``${NAME:-default}`` in the values of a scenario."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voice_emulator.core.words import nearest_word

# Either an escaped dollar, a whole reference, or a brace that begins something else.
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{")


class EnvironmentProblem(ValueError):
    """A reference that cannot be filled in; the message says why."""


def expand(text: str, environ: Mapping[str, str]) -> str:
    """``text`` with every reference replaced; ``$${`` stands for a literal ``${``.

    As in a shell, the default also stands in for a variable that is set but empty. What comes in is
    text and stays text: it is never read as YAML. Raises EnvironmentProblem.
    """
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
            return environ.get(name) or match[3]
        if name not in environ:
            near = nearest_word(name, environ)
            hint = f" (${near} is set)" if near is not None else ""
            raise EnvironmentProblem(
                f"the environment variable {name} is not set{hint}; ${{{name}:-default}} does without it"
            )
        return environ[name]

    return _REFERENCE.sub(value_of, text)
