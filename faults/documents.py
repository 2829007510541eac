"""X1, X2, X4: reports that are no report, authentic all the same: whoever owns the host owns what is sealed there."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Callable
from typing import Any, Final

from faults.apart import Meter, apart
from faults.lab import MIB, Lab
from faults.near import local, meddled, near, round_inside
from poller.errors import OUTCOMES, HostError
from poller.model import Report
from poller.probe.bounds import MAX_BYTES
from poller.probe.envelope import open_report
from poller.probe.report import parse
from remote_probe.render import LONGEST
from tests.probe.reports import Asked, full, render, report
from tests.probe.sealing import ask, seal

GOOD: Final = render(report(full()))
DECLARED: Final = re.sub(rb"^<\?xml[^>]*>", b"", GOOD)
LAUGHS: Final = b"".join(b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefghijk")
XINCLUDE: Final = b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://%FILE%"/>'
HINT: Final = (
    b'<report xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:noNamespaceSchemaLocation="file://%FILE%" '
)

# %FILE% is a named pipe, which holds for ever whoever opens it; %PORT% a port at which connections are counted.
HOSTILE: Final[tuple[bytes, ...]] = (
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + LAUGHS + b']><report host="&k;"/>',
    b'<!DOCTYPE r [<!ENTITY a "' + b"a" * 50_000 + b'">]><report>' + b"&a;" * 50_000 + b"</report>",
    b'<!DOCTYPE r [<!ENTITY a "&b;"><!ENTITY b "&a;">]><report>&a;</report>',
    b'<!DOCTYPE report [<!ENTITY x SYSTEM "file://%FILE%">]><report>&x;</report>',
    b'<!DOCTYPE report [<!ENTITY x SYSTEM "http://127.0.0.1:%PORT%/x">]><report>&x;</report>',
    b'<!DOCTYPE r [<!ENTITY % p SYSTEM "file://%FILE%"> %p;]><report/>',
    b'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:%PORT%/p"> %p;]><report/>',
    b'<!DOCTYPE report SYSTEM "file://%FILE%"><report/>',
    b'<!DOCTYPE report PUBLIC "-//X//Y" "http://127.0.0.1:%PORT%/x.dtd">' + DECLARED,
    b'<!DOCTYPE r [<!ATTLIST report host CDATA "web1">]><report/>',
    b'<!DOCTYPE r [<!NOTATION n SYSTEM "file://%FILE%"><!ENTITY u SYSTEM "file://%FILE%" NDATA n>]><report/>',
    b"<!DOCTYPE report>" + DECLARED,
    b'<?xml version="1.0"?>\n<!DOCTYPE report>' + DECLARED,
    b"\xef\xbb\xbf<!DOCTYPE report>" + DECLARED,
    b'<?xml version="1.0" encoding="UTF-7"?>'
    + (b"+ADwAIQ-DOCTYPE r [+ADwAIQ-ENTITY x SYSTEM +ACI-file://%FILE%+ACI-+AD4]+AD4-" + DECLARED),
    '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///x">]><r>&x;</r>'.encode("utf-16"),
    b"<?xml-stylesheet href='file://%FILE%'?>" + DECLARED,
    GOOD.replace(b"</report>", XINCLUDE + b"</report>"),
    GOOD.replace(b"<report ", HINT),
    GOOD.replace(b"</report>", b"<?php x?></report>"),
    GOOD.replace(b"</report>", b"<!-- x --></report>"),
    GOOD.replace(b"</report>", b"<![CDATA[x]]></report>"),
    GOOD.replace(b"web1", b"&web1;", 1),
    GOOD.decode().encode("utf-16"),
    DECLARED.decode().encode("utf-16-le"),
    b"",
    b"x",
    b"<report",
    GOOD[:-3],
    GOOD + b"<report/>",
    GOOD.replace(b"web1", b"web\x00", 1),
    GOOD.replace(b"web1", b"web\x1b", 1),
    GOOD.replace(b"web1", b"web\xff", 1),
    b"\x1f\x8b" + GOOD,
)

HEAVY: Final[dict[str, Callable[[], bytes]]] = {
    "10 M elements": lambda: b"<report>" + b"<a/>" * 10_000_000 + b"</report>",
    "2 M elements, within the size": lambda: b"<report>" + b"<a/>" * 2_000_000 + b"</report>",
    "as many known elements as may be": lambda: b"<report>" + b"<cpu/>" * 39_990 + b"</report>",
    "depth 100,000": lambda: b"<report>" * 100_000 + b"</report>" * 100_000,
    "depth 17": lambda: b"<report>" * 17 + b"</report>" * 17,
    "an attribute of 50 MB": lambda: b'<report host="' + b"x" * 50_000_000 + b'"/>',
    "an attribute of 8 MB": lambda: b'<report host="' + b"&lt;" * 2_000_000 + b'"/>',
    "100,000 attributes": lambda: b"<report" + b"".join(b' a%d=""' % n for n in range(100_000)) + b"/>",
    "as many attributes as may be": lambda: b"<report>" + b"<cpu core='' user=''/>" * 39_990 + b"</report>",
    "as large as may be": lambda: b"<report>" + b"<cpu core='%s'/>" % (b"x" * 190) * 39_990 + b"</report>",
    "many attributes of many": lambda: (
        b"<report>"
        + (b"<cpu core='' user='' nice='' system='' idle='' iowait='' irq='' steal=''/>") * 39_990
        + b"</report>"
    ),
    "100,000 namespaces": lambda: b"<report" + b"".join(b' xmlns:a%d="u"' % n for n in range(100_000)) + b"/>",
    "a long name": lambda: b"<" + b"a" * 8_000_000 + b"/>",
    "a long text": lambda: b"<report>" + b"x" * 8_000_000 + b"</report>",
    "white space": lambda: b"<report>" + b" " * 8_000_000 + b"</report>",
    "zeros": lambda: bytes(8_000_000),
}


def _change(old: str, new: str) -> Callable[[bytes], bytes]:
    def changed(xml: bytes) -> bytes:
        assert old.encode() in xml
        return xml.replace(old.encode(), new.encode(), 1)

    return changed


WRONG: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {
    "missing attribute": ("/report/reading/section[1]/system", _change(' machine="x86_64"', "")),
    "extra attribute": ("/report/reading/section[1]/system", _change("<system ", '<system mac="x" ')),
    "unknown attribute": ("/report/reading/section/system", _change("<system ", '<system colour="red" ')),
    "unknown element": ("/report/reading/section/sytem", _change("<system ", "<sytem ")),
    "element elsewhere": ("/report/cpu", _change("</reading>\n", '</reading><cpu core="x"/>')),
    "text": ("/report/reading", _change("</reading>", "surprise</reading>")),
    "negative integer": ("/report/reading/section[1]/system", _change('cpus="2"', 'cpus="-2"')),
    "integer with a sign": ("/report/reading/section[1]/system", _change('cpus="2"', 'cpus="+2"')),
    "integer with a point": ("/report/reading/section[1]/system", _change('cpus="2"', 'cpus="2.0"')),
    "2^63": ("/report/reading/section[1]/system", _change('cpus="2"', f'cpus="{2**63}"')),
    "2^70": ("/report/reading/section[1]/system", _change('cpus="2"', f'cpus="{2**70}"')),
    "empty integer": ("/report/reading/section[1]/system", _change('cpus="2"', 'cpus=""')),
    "hexadecimal": ("/report/reading/section[1]/system", _change('cpus="2"', 'cpus="0x2"')),
    "underscore": ("/report/reading/section[1]/system", _change('cpus="2"', 'cpus="1_0"')),
    "arabic digits": ("/report/reading/section[1]/system", _change('cpus="2"', 'cpus="٢"')),
    "1e400": ("/report/reading/section[4]/load", _change('one="1.500000"', 'one="1e400"')),
    "1e5": ("/report/reading/section[4]/load", _change('one="1.500000"', 'one="1e5"')),
    "NaN": ("/report/reading/section[4]/load", _change('one="1.500000"', 'one="NaN"')),
    "INF": ("/report/reading/section[4]/load", _change('one="1.500000"', 'one="INF"')),
    "negative decimal": ("/report/reading/section[4]/load", _change('one="1.500000"', 'one="-1.5"')),
    "huge decimal": ("/report/reading/section[4]/load", _change('one="1.500000"', f'one="{10**300}"')),
    "empty decimal": ("/report/reading/section[4]/load", _change('one="1.500000"', 'one=""')),
    "long text": ("/report/reading/section[1]/system", _change("x86_64", "x" * (LONGEST + 1))),
    "unknown state": ("/report/reading/section[5]/filesystem[1]", _change('state="ok"', 'state="fine"')),
    "flag of 2": ("/report/reading/section[5]/filesystem[1]", _change('read_only="0"', 'read_only="2"')),
    "unknown link": ("/report/reading/section[7]/interface", _change('link="up"', 'link="maybe"')),
    "unknown resource": ("/report/reading/section[9]/pressure[3]", _change('resource="memory"', 'resource="disk"')),
    "unknown status": ("/report/reading/section[1]", _change('status="ok"', 'status="great"')),
    "unknown section": ("/report/reading/section[1]", _change('name="system"', 'name="systems"')),
    "two systems": ("/report/reading/section[1]/system[2]", lambda xml: re.sub(rb"(<system [^>]*>)", rb"\1\1", xml)),
    "another version": ("/report", _change('version="1"', 'version="2"')),
    "first of two readings with more than counters": (
        "/report/reading[1]/section[1]",
        lambda xml: re.sub(rb"(?s)(<reading.*</reading>)", rb"\1\1", xml),
    ),
    "no reading": ("/report", lambda xml: re.sub(rb"(?s)<reading.*</reading>", b"", xml)),
    "three readings": ("/report/reading[3]", lambda xml: re.sub(rb"(?s)(<reading.*</reading>)", rb"\1\1\1", xml)),
    "a section twice": (
        "/report/reading/section[5]",
        lambda xml: re.sub(rb"(?s)(<section name=.load.*?</section>).*?</section>", rb"\1\1", xml),
    ),
    "sections reordered": (
        "/report/reading/section[4]",
        lambda xml: re.sub(rb"(?s)(<section name=\"memory.*?</section>)(.*?</section>)", rb"\2\1", xml),
    ),
    "rows of another section": ("/report/reading/section[1]/system", _change('name="system"', 'name="cpu"')),
    "rows mixed": (
        "/report/reading/section[3]/load",
        lambda xml: re.sub(rb"(<memory [^>]*>)", rb"\1<load one='1' five='1' fifteen='1'/>", xml),
    ),
    "a core twice": ("/report/reading/section[2]/cpu[3]", _change('core="1"', 'core="0"')),
    "a mountpoint twice": ("/report/reading/section[5]/filesystem[2]", _change('point="/var"', 'point="/"')),
    "an address twice": (
        "/report/reading/section[7]/address[2]",
        lambda xml: re.sub(rb"(<address [^>]*>)", rb"\1\1", xml, count=1),
    ),
    "a pressure twice": ("/report/reading/section[9]/pressure[2]", _change('kind="full"', 'kind="some"')),
}  # fmt: skip


def refusal(xml: bytes) -> HostError | None:
    """How the report inside a valid envelope is refused; None when it is believed."""
    request = ask()
    sealed = seal(xml, request.body)
    try:
        parse(open_report(sealed, request), Asked())
    except HostError as error:
        assert (error.stage, error.code) in OUTCOMES and error.security
        assert str(error).isascii() and str(error).isprintable() and len(str(error)) < 500
        return error
    return None


def costs(file: str, port: str) -> list[tuple[str, float, float]]:
    """Code, seconds and MiB of each document of HOSTILE."""
    refusal(GOOD)
    found = []
    for document in HOSTILE:
        xml = document.replace(b"%FILE%", file.encode()).replace(b"%PORT%", port.encode())
        with Meter() as spent:
            error = refusal(xml)
        found.append((error.code if error else "believed", spent.seconds, spent.mib))
    assert refusal(GOOD) is None, "the worker does not survive"
    return found


def hostile(lab: Lab) -> str:
    pipe = lab.folder("pipes") / "pipe"
    os.mkfifo(pipe)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = apart(costs, str(pipe), str(listener.getsockname()[1]), seconds=60)
        listener.settimeout(0.0)
        with contextlib.suppress(BlockingIOError):
            listener.accept()
            raise AssertionError("a connection was made for a hostile report")
    assert len(found) == len(HOSTILE)
    assert {code for code, _, _ in found} <= {"xml", "schema"}, found
    seconds, mib = max(one[1] for one in found), max(one[2] for one in found)
    assert seconds < 1.0 and mib < 50, found
    return (
        f"{len(found)} of {len(found)} refused, no file or socket opened, each <= {seconds:.2f} s, {mib:.1f} MiB more"
    )


def weights(*names: str) -> dict[str, tuple[str, float, float]]:
    """Code, seconds and MiB of each of these documents; an honest report is still read after each."""
    parse(GOOD, Asked())
    found = {}
    for name in names:
        xml = HEAVY[name]()
        code = "believed"
        with Meter() as spent:
            try:
                parse(xml, Asked())
            except HostError as error:
                code = error.code
        # What is larger than a report may be is never held in one piece: see C8.
        mib = spent.mib + (len(xml) / MIB if len(xml) <= MAX_BYTES else 0)
        del xml
        assert isinstance(parse(GOOD, Asked()), Report)
        found[name] = (code, spent.seconds, mib)
    return found


def heavy(lab: Lab) -> str:
    """Each in a process of its own (full), or all in one."""
    groups: list[tuple[str, ...]] = [tuple(HEAVY)] if lab.short else [(name,) for name in HEAVY]
    found: dict[str, Any] = {}
    for group in groups:
        found |= apart(weights, *group)
    assert {code for code, _, _ in found.values()} <= {"xml", "schema"}, found
    seconds, mib = max(one[1] for one in found.values()), max(one[2] for one in found.values())
    assert seconds < 2.0 and mib < 32, found
    refused = f"{len(found)} of {len(found)} refused"
    return f"{refused}, each <= {seconds:.2f} s, {mib:.0f} MiB more with the report itself; the worker goes on"


def wrong(lab: Lab) -> str:
    for name, (path, change) in WRONG.items():
        changed = change(GOOD)
        assert changed != GOOD, name
        error = refusal(changed)
        assert error is not None and error.code == "schema", f"{name}: {error}"
        assert re.fullmatch(re.escape(path) + r" line \d+: .+", error.detail, re.DOTALL), f"{name}: {error.detail}"
    site = near(lab, "")
    honest = [f"web{number}" for number in range(lab.size(short=1, full=10))]
    site.write(local(*honest) + local("bad", more=f'python="{meddled(site.folder, "schema")}"'), deadline="30s")
    result = round_inside(site)
    codes = {one.poll.host: f"{one.poll.stage}/{one.poll.code}" for one in result.taken}
    assert codes == {**dict.fromkeys(honest, "/"), "bad": "report/schema"}, codes
    return f"{len(WRONG)} of {len(WRONG)} refused with the path and line of the fault; {len(honest)} other hosts ok"
