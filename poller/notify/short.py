"""A letter in the few words that fit on a telephone: for SMS, chats and everything else by Apprise."""

from __future__ import annotations

from typing import Final

from poller.model import Letter
from poller.notify.plain import plain
from poller.notify.subject import headline, is_flag, latest, tag, what
from poller.notify.wording import moment

# Two concatenated SMS hold 306 characters of GSM 03.38.
LENGTH: Final = 300


def short(letter: Letter) -> tuple[str, str]:
    """Title and text, both together at most 300 characters. A title alone says what counts."""
    now = latest(letter.notifications)
    title = headline(letter)
    if len(now) == 1:
        alert = now[0].alert
        since = f"since {moment(alert.since_ms)}"
        known = alert.reason and plain(alert.reason) not in title and not (tag(now[0]) == "OK" and is_flag(alert))
        text = f"{since}: {plain(alert.reason)}" if known else since
    else:
        hosts = len({one.alert.host for one in now})
        named = hosts > 1
        title = title.partition(": ")[0] if named else title.partition("]")[0] + "] " + plain(now[0].alert.host)
        text = "; ".join(f"{plain(one.alert.host)} {what(one)}" if named else what(one) for one in now)
    if letter.note:
        text = f"{plain(letter.note, 120)} {text}"
    title = plain(title, LENGTH // 2)
    return title, plain(text, LENGTH - len(title) - 1)
