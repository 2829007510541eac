"""Who acts: written beside what was done, so that others know whom to ask."""

from __future__ import annotations

import os
import pwd

from poller.errors import UsageError

_LONGEST = 1000


def author(given: str | None) -> str:
    """As given, else who called sudo, else the account that runs this."""
    name = (given or "").strip() or os.environ.get("SUDO_USER", "").strip()
    if name:
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account that only has a number: in a container
        return f"uid {os.getuid()}"


def comment(text: str) -> str:
    """Why it is done. UsageError for a blank one: nobody could tell later."""
    words = " ".join(text.split())
    if not words:
        raise UsageError("the comment is blank", "say why, for those who look later: --comment 'disk is ordered'")
    if len(words) > _LONGEST:
        raise UsageError(f"the comment has {len(words)} characters", f"at most {_LONGEST} fit")
    return words
