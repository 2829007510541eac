"""Section `checks`: the commands of config.xml, run as monitoring plugins, one after the other.

Their output and exit status are those of the Monitoring Plugins Development Guidelines: 0 ok, 1 warning, 2 critical,
3 unknown; text, then performance data behind `|`. What is killed, missing or ends otherwise is unknown, and says why.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence, Tuple

    from remote_probe.host import Host, Rows

SHARE = 0.5  # of the time that is left when they begin; the rest is for the sections behind them
LEAST = 0.2  # seconds; with less left none is begun
UNKNOWN = 3
LONGEST = 900  # bytes of performance data that are sent as they are


def read(host: "Host") -> "Rows":
    checks = host.options.get("checks", {}).get("checks", ())
    if not checks:
        raise FileNotFoundError("no checks were asked for")
    reach = host.reach("checks")
    end = host.remaining() * (1 - SHARE)
    for name, command, seconds in checks:
        left = host.remaining() - end if end < float("inf") else seconds
        status, output, perfdata, took = _run(reach, command, min(seconds, left))
        yield "check", {"check": name, "status": status, "output": output, "perfdata": perfdata, "seconds": took}


def _run(reach: "Any", command: "Sequence[str]", seconds: float) -> "Tuple[int, bytes, bytes, float]":
    if seconds < LEAST:
        return UNKNOWN, b"not run: the checks before it took all the time there was", b"", 0.0
    try:
        code, out, err, took = reach.run(command, seconds)
    except TimeoutError as error:
        return UNKNOWN, str(error).encode("utf-8"), b"", seconds
    except OSError as error:
        return UNKNOWN, str(error).encode("utf-8", "surrogateescape"), b"", 0.0
    output, perfdata = parse_output(out)
    if code < 0:
        output = output or b"ended by signal %d" % -code
    elif not output:
        output = parse_output(err)[0] or b"it said nothing, exit status %d" % code
    return code if 0 <= code < UNKNOWN else UNKNOWN, output, perfdata, took


def parse_output(content: bytes) -> "Tuple[bytes, bytes]":
    """(the first line without performance data, all performance data).

    The first line has its own behind `|`; of the lines after it, all that stands behind the next `|`.
    """
    first, _, more = content.strip().partition(b"\n")
    output, _, perfdata = first.partition(b"|")
    words = (perfdata + b" " + more.partition(b"|")[2]).split()
    return output.strip(), shortened(b" ".join(words))


def shortened(perfdata: bytes) -> bytes:
    """What would be too long goes without warning, critical, minimum and maximum, and then at its end."""
    if len(perfdata) <= LONGEST:
        return perfdata
    import re

    perfdata = re.sub(rb"(=[^;\s]*);\S*", rb"\1", perfdata)
    return perfdata if len(perfdata) <= LONGEST else perfdata[: LONGEST + 1].rpartition(b" ")[0]
