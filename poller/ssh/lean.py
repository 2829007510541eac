"""Imports paramiko without invoke, for whoever imports anything of this package.

paramiko.config tries to import invoke, a task runner, for `Match exec` in ssh_config, and goes on without it where it
is not installed. The poller reads ssh_config itself (sshconfig.py) and never runs `Match exec`; loading invoke would be
a tenth of what `poller run --host X` costs.
"""

import sys


def import_paramiko() -> None:
    """Afterwards invoke can be imported as usual. Does nothing when either of them is there already."""
    if "invoke" in sys.modules or "paramiko" in sys.modules:
        return
    sys.modules["invoke"] = None  # type: ignore[assignment]  # what makes an import fail (importlib, sys.modules)
    try:
        import paramiko  # noqa: F401
    finally:
        del sys.modules["invoke"]


import_paramiko()
