"""`<heartbeat>`: somebody outside is told that a round begins, and how it ended. Who hears nothing raises the alarm.

The convention is that of Healthchecks (https://healthchecks.io/docs/http_api/): a request to ADDRESS/start, later one
to ADDRESS/STATUS, where 0 is success; `rid` joins the two. It says how the poller is, not how the hosts are.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from poller.config import secret
from poller.errors import BusyError, PollerError, StoreError
from poller.model import Deadline, Heartbeat
from poller.notify.plain import plain

_log = logging.getLogger(__name__)
_WHO: Final = "heartbeat"
# Healthchecks keeps 100 kB of a body; people read the first lines.
_WORDS: Final = 1000
# sysexits.h, as `poller run` ends: EX_SOFTWARE, EX_IOERR. A signal ends it with 128 and its number.
_FAULT, _STORE, _USAGE = 70, 74, 2
_SIGNALLED: Final = 128
_SIGNALLED_SECONDS: Final = 3.0


class Heart:
    """The beats of one round. No method raises, and none waits longer than the time-out of `<heartbeat>`."""

    def __init__(self) -> None:
        self._settings: Heartbeat | None = None
        self._run_id = ""
        self._started = threading.Thread()

    def begin(self, settings: Heartbeat | None, run_id: str) -> None:
        """Says that the round begins, in a thread of its own; nobody waits for the answer. None: says nothing."""
        self._settings, self._run_id = settings, run_id
        if settings is not None:
            self._started = _thread(self._beat, "start", "", Deadline(settings.timeout))

    def end(self, status: int, words: str) -> None:
        """Says how it ended, once the other side knows that it began: 0, or the exit status of a failed round."""
        if self._settings is None:
            return
        # Somebody waits who has pressed Ctrl-C.
        seconds = min(self._settings.timeout, _SIGNALLED_SECONDS) if status > _SIGNALLED else self._settings.timeout
        deadline = Deadline(seconds)
        if self._started.ident is not None:
            self._started.join(deadline.remaining / 2)
        _thread(self._beat, str(status), words, deadline).join(deadline.remaining)

    def _beat(self, what: str, words: str, deadline: Deadline) -> None:
        try:
            self._post(what, words, deadline)
        except PollerError as error:
            _log.info("beat %s: %s (%s)", what, error.sentence, error.hint)
        except Exception as error:  # whatever it is: it must not become a fault of the round
            _log.info("beat %s: %s", what, type(error).__name__)

    def _post(self, what: str, words: str, deadline: Deadline) -> None:
        # Here, and in this thread: what speaks HTTP takes a while to load.
        from poller.notify.post import post

        settings = self._settings
        if settings is None:
            return
        base = secret.address(settings.url, settings.address)
        body = plain(words, _WORDS).encode("utf-8", "replace")
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        answer = post(address(base, what, self._run_id), body, headers, timeout=deadline.remaining, who=_WHO)
        if not 200 <= answer.status < 300:
            _log.info("beat %s: %s answered %d %s", what, _WHO, answer.status, answer.text)


@dataclass
class Beat:
    """What the end of a round will say, filled in as it is known."""

    status: int = 0
    words: str = ""


@contextmanager
def beating(settings: Heartbeat | None, run_id: str) -> Iterator[Beat]:
    """The beats around a round. A round that raises has failed; one that found another at work says nothing more."""
    heart, beat = Heart(), Beat()
    heart.begin(settings, run_id)
    try:
        yield beat
    except BusyError:
        raise
    except BaseException as error:
        heart.end(failure(error), type(error).__name__ if not isinstance(error, PollerError) else error.sentence)
        raise
    else:
        heart.end(beat.status, beat.words)


def failure(error: BaseException) -> int:
    """The exit status of `poller run` when it ends with `error`."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, KeyboardInterrupt):
        return _SIGNALLED + 2
    if isinstance(error, (StoreError, OSError)):
        return _STORE
    return _USAGE if isinstance(error, PollerError) else _FAULT


def address(base: str, what: str, run_id: str) -> str:
    """`https://example.org/ping/1` -> `https://example.org/ping/1/start?rid=UUID`, whatever else it asks for."""
    parts = urlsplit(base)
    query = "&".join(part for part in (parts.query, urlencode({"rid": str(uuid.UUID(run_id))})) if part)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{what}", query, ""))


def _thread(beat: Callable[[str, str, Deadline], None], what: str, words: str, until: Deadline) -> threading.Thread:
    thread = threading.Thread(target=beat, args=(what, words, until), name="poller-heartbeat", daemon=True)
    thread.start()
    return thread
