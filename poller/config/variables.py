"""`${NAME}` in an attribute takes the value of an environment variable; `$${` is a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from poller.config.mistakes import WrongError, meant

_VARIABLE = re.compile(r"\$(\$\{)|\$\{([^}]*)(\})?")


def fill(text: str, environ: Mapping[str, str]) -> str:
    """The text with its variables' values. WrongError when one is not set; a value is not searched again."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "${"
        name = match[2]
        if not match[3] or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise WrongError("has a ${ that begins no variable", "write ${NAME}, or $${ for a plain ${")
        if name not in environ:
            raise WrongError(
                f"needs the environment variable {name}, which is not set{meant(name, environ)}",
                "write $${ for a plain ${",
            )
        return environ[name]

    return _VARIABLE.sub(value, text) if "${" in text else text
