"""How a command ends that cannot go on: a sentence on stderr, an exit code, and with --json a document on stdout."""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import suppress
from typing import Any

import click

from poller.cli import streams
from poller.cli.settings import complain, inert, mistake_document, print_json
from poller.errors import BusyError, ConfigError, PollerError, StoreError

# sysexits.h: EX_SOFTWARE, EX_IOERR, EX_TEMPFAIL
_FAULT, _STORE, _BUSY = 70, 74, 75


def explain(error: BaseException, *, as_json: bool) -> int:
    """Tells it to people (and to a script that asked for JSON); returns the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, (KeyboardInterrupt, click.exceptions.Abort)):
        return 128 + signal.SIGINT
    if isinstance(error, (streams.ReaderGoneError, BrokenPipeError)):
        streams.discard(sys.stdout)
        return 0
    code, document = _told(error)
    if as_json:
        # When stdout itself is the trouble, or shows a document already, there is nothing to add.
        with suppress(OSError):
            print_json({"error": document})
    with suppress(OSError):
        sys.stdout.flush()
        return code
    streams.discard(sys.stdout)
    return code


def exit_code(error: PollerError) -> int:
    """74 when nothing can be stored or read, 75 when another poller is at work, 2 for everything a user can mend."""
    if isinstance(error, StoreError):
        return 2 if error.code == "absent" else _STORE  # absent: nothing was ever stored, `poller run` comes first
    return _BUSY if isinstance(error, BusyError) else 2


def _told(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Exit code and the JSON form, once the sentence is on stderr."""
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code, _document("usage", error.format_message())
    if isinstance(error, PollerError):
        complain(error)
        return exit_code(error), _document(error.code, error.sentence, error.hint, error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else "output cannot be written: "
        fault = PollerError(f"{where}{error.strerror or error}", code="io")
        complain(fault)
        return _STORE, _document("io", fault.sentence)
    return _FAULT, _own_fault(error)


def _own_fault(error: BaseException) -> dict[str, Any]:
    """What should not happen. Only for a bug report (-vv) it is worth a traceback."""
    log = logging.getLogger("poller")
    log.debug("the fault in full", exc_info=error)
    detail = str(error).strip().splitlines()
    sentence = f"a fault of the poller itself: {type(error).__name__}" + (f": {detail[0]}" if detail else "")
    hint = "run it again with -vv and report what it prints"
    click.echo(f"poller: {inert(sentence)}\n    {hint}", err=True)
    return _document("fault", sentence, hint)


def _document(code: str, sentence: str, hint: str = "", error: PollerError | None = None) -> dict[str, Any]:
    document: dict[str, Any] = {"code": code, "sentence": sentence, "hint": hint}
    if isinstance(error, ConfigError):
        document["mistakes"] = [mistake_document(one) for one in error.mistakes]
    return document
