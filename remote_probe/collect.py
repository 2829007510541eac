"""Runs the collectors that are asked for, times them, and turns whatever goes wrong into data.

A reading exists with all its sections from the start, each `timeout` until it is read: whoever looks at a
collection that did not finish sees exactly that.
"""

import time

from remote_probe.collectors import COUNTERS, ELSEWHERE, LAST, NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence, Tuple

    from remote_probe.host import Host, Row, Rows, Value

    Outcome = Tuple[str, str, float, List[Row]]

LARGEST = float(10**15)  # more seconds or load than any machine has; the schema's bound
SIGNED = ("celsius", "critical")  # attributes that may be negative: temperatures


class Section:
    """One subject: `outcome` is (status, reason, seconds, rows)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outcome: "Outcome" = ("timeout", "not reached before the deadline", 0.0, [])

    def fill(self, host: "Host") -> None:
        """Runs the collector. Rows that came before a failure are kept, with its reason beside them."""
        begin = time.monotonic()
        rows: "List[Row]" = []
        status, reason = "ok", ""
        try:
            for element, values in collected(host, self.name):
                rows.append((element, {name: checked(name, value) for name, value in values.items()}))
        except Exception as error:
            status, reason = explain(error, host.root)
        self.outcome = ("ok" if rows else status, reason, time.monotonic() - begin, rows)


class Reading:
    """Everything seen at one moment: `clock` in epoch seconds, `uptime` in seconds, and which boot that was."""

    def __init__(self, names: "Sequence[str]") -> None:
        self.clock = 0.0
        self.uptime = 0.0
        self.boot_id = b"unknown"
        self.sections = [Section(name) for name in names]

    def fill(self, host: "Host") -> None:
        """Counters first, so that they belong to the clock; last what can take long."""
        self.clock = host.now()
        if host.elsewhere:
            self.uptime, self.boot_id = booted(self.boot_id)
        else:
            self.uptime = parse_uptime(host.text(b"/proc/uptime"))
            self.boot_id = host.text(b"/proc/sys/kernel/random/boot_id") or self.boot_id
        for section in sorted(self.sections, key=_turn):
            if host.remaining() <= 0:
                return
            section.fill(host)


class Collection:
    """One reading, or two when `window` seconds are to lie between them; the first then holds only counters."""

    def __init__(self, names: "Sequence[str]", window: float) -> None:
        ordered = [name for name in NAMES if name in names]
        counters = [name for name in ordered if name in COUNTERS]
        self.window = window
        self.readings = [Reading(counters), Reading(ordered)] if window else [Reading(ordered)]

    def run(self, host: "Host") -> None:
        """Fills the readings; never raises."""
        for reading in self.readings:
            reading.clock = host.now()
        for number, reading in enumerate(self.readings):
            if number:
                time.sleep(max(0.0, min(self.window, host.remaining())))
            try:
                reading.fill(host)
            except Exception as error:
                self.failed(error)

    def failed(self, error: Exception) -> "Collection":
        """Marks every section that was not read with the error that was the reason."""
        for section in (section for reading in self.readings for section in reading.sections):
            if section.outcome[0] == "timeout":
                section.outcome = ("failed", explain(error)[1], 0.0, [])
        return self


def collected(host: "Host", name: str) -> "Rows":
    """The rows of one section, where there is no /proc from the collector that needs none, if that has it."""
    if host.elsewhere and name in ELSEWHERE:
        rows: "Rows" = collector("elsewhere").read(host, name)
    else:
        rows = collector(name).read(host)
    return rows


def collector(name: str) -> "Any":
    return __import__("remote_probe.collectors." + name, None, None, ["read"])


def booted(unknown: bytes) -> "Tuple[float, bytes]":
    """Uptime and boot id of a host without /proc; 0 and `unknown` when nothing tells."""
    try:
        uptime, boot_id = collector("elsewhere").boot()
        return float(checked("uptime", uptime)), boot_id
    except Exception:
        return 0.0, unknown  # the sections say why


def parse_uptime(content: bytes) -> float:
    """Seconds since boot (proc_uptime(5)); 0 when it does not say, and then no rate can be made."""
    try:
        return float(checked("uptime", float(content.split(b" ")[0])))
    except ValueError:
        return 0.0


def explain(error: Exception, root: bytes = b"") -> "Tuple[str, str]":
    """(status, reason) of what a collector raised: a missing file is `absent`, a forbidden one `denied`."""
    status = "failed"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        status = "absent"
    elif isinstance(error, PermissionError):
        status = "denied"
    elif isinstance(error, TimeoutError):
        status = "timeout"
    if isinstance(error, OSError):
        name = error.filename[len(root) :] + b": " if isinstance(error.filename, bytes) else b""
        return status, name.decode("utf-8", "surrogateescape") + (error.strerror or str(error))
    return status, "%s: %s%s" % (type(error).__name__, error, _place(error))


def checked(name: str, value: "Value") -> "Value":
    """The value as a report may hold it: integers wrap at 2^63 as counters do. Raises ValueError for non-numbers."""
    if isinstance(value, int):
        if value < 0:
            raise ValueError("%s is negative" % name)
        return value % (1 << 63)
    least = -LARGEST if name in SIGNED else 0.0
    if isinstance(value, float) and not least <= value < LARGEST:
        raise ValueError("%s is no number that makes sense" % name)
    return value


def _turn(section: Section) -> "Tuple[int, bool]":
    return LAST.index(section.name) + 1 if section.name in LAST else 0, section.name not in COUNTERS


def _place(error: Exception) -> str:
    """` (file:line)` of the innermost line. By the module: code that came from memory knows no file (loader.Bundle)."""
    place = ""
    trace = error.__traceback__
    while trace:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        place = " (%s.py:%d)" % (module.split(".")[-1], trace.tb_lineno)
        trace = trace.tb_next
    return place
