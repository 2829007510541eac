"""Section `textfiles`: numbers that other programs leave in files `*.prom`, as for node_exporter.

The Prometheus text exposition format, as far as it names series and gives values; comments, types and timestamps are
left out. Values stay text here: the centre knows what NaN and +Inf are worth.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Tuple

    from remote_probe.host import Host, Rows

MOST = 2000  # series of all files together
LONGEST = 8192  # bytes of a line
SAMPLE = rb"""(?x)([a-zA-Z_:][\w:]*)
(?: [ \t]* \{ ( (?: [ \t,]* [a-zA-Z_]\w* [ \t]* = [ \t]* "(?:[^"\\]|\\.)*" )* [ \t,]* ) \} [ \t]* | [ \t]+ )
([^\s{}"]+) (?: [ \t]+ -?[0-9]+ )?"""


def read(host: "Host") -> "Rows":
    """A row for each file, with what is wrong with it, and one for each series; of two with one name the first."""
    paths = host.options.get("textfiles", {}).get("paths", ())
    if not paths:
        raise FileNotFoundError("no textfiles were asked for")
    reach = host.reach("textfiles")
    seen: "Dict[bytes, bytes]" = {}
    for path, reason in files(host, paths):
        written, wrong = 0.0, reason
        if not reason:
            try:
                written, content = reach.read(path)
                wrong = _take(content, seen)
            except OSError as error:
                wrong = error.strerror or str(error)
        yield "textfile", {"file": path, "at": max(0.0, written), "reason": wrong}
    for series, value in seen.items():
        yield "series", {"series": series, "value": value}


def files(host: "Host", paths: "List[str]") -> "Iterator[Tuple[bytes, str]]":
    """(path, why it cannot be read or "") of each file, and of the files `*.prom` of each folder; each once."""
    done = set()
    for name in paths:
        path = name.encode("utf-8", "surrogateescape").rstrip(b"/")
        found = [(path, "")]
        try:
            found = [(path + b"/" + entry, "") for entry in host.names(path) if entry.endswith(b".prom")]
        except NotADirectoryError:
            pass
        except OSError as error:
            found = [(path, error.strerror or str(error))]
        for each in found:
            if each[0] not in done:
                done.add(each[0])
                yield each


def parse_samples(content: bytes) -> "Iterator[Tuple[int, bytes, bytes]]":
    """(line number, series, value) of each sample; the series is b"" for a line that is none."""
    import re

    for number, line in enumerate(map(bytes.strip, content.split(b"\n")), 1):
        if line and not line.startswith(b"#"):
            fit = re.fullmatch(SAMPLE, line) if len(line) <= LONGEST else None
            if fit:
                labels = (fit.group(2) or b"").strip(b", \t")
                yield number, fit.group(1) + (b"{%s}" % labels if labels else b""), fit.group(3)
            else:
                yield number, b"", b""


def _take(content: bytes, seen: "Dict[bytes, bytes]") -> str:
    """Adds the samples to those there are; what is wrong with the file, "" for nothing."""
    broken, twice, over = [], [], 0
    for number, series, value in parse_samples(content):
        if not series:
            broken.append(number)
        elif series in seen:
            twice.append(number)
        elif len(seen) >= MOST:
            over += 1
        else:
            seen[series] = value
    wrong = []
    if broken:
        wrong.append("line %d is no sample (of %d such lines)" % (broken[0], len(broken)))
    if twice:
        wrong.append("line %d has a series that was there before (of %d such lines)" % (twice[0], len(twice)))
    if over:
        wrong.append("%d series left out: there are more than %d" % (over, MOST))
    return "; ".join(wrong)
