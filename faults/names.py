"""Names and texts that are as bad as they may be, and a program that mounts file systems under such names.

python -m faults.names FOLDER       mounts one under each of PATHS in FOLDER, says `ready`, ends with its stdin
"""

from __future__ import annotations

import os
import sys
from typing import Final

from faults.fuse import mount

# What a file can be called: any bytes but NUL and "/".
PATHS: Final = (
    b"new\nline", b"tab\tand\rreturn", b"\x01\x02\x1b[31mred\x1b[0m", b"\x1b]0;owned\x07", b"\xff\xfe\x80 not utf-8",
    b"\xc2\x9b31m c1", b"<script>alert(1)</script>".replace(b"/", b":"), b"&amp;\"'>]]>", b"back\\slash\\x41\\040",
    "\u202egnp.exe\u2066\u200b\ufeff".encode(), "\ufffe\uffff".encode(), b"\xed\xa0\x80 surrogate", b" lead and trail ",
    b"=cmd|' :C calc'!A0", b"'; DROP TABLE host; --", b"x" * 250, "\U0001f4a9 \u4e2d e\u0301".encode(), b"%s%n{0}",
    b"-rf", b"- fuse none rw", b"\\040\\134",
)  # fmt: skip

# What a text of a report can be. The probe spells bytes that XML cannot hold as `\xHH`.
TEXTS: Final = (
    *PATHS, b"nul\x00byte", b"<script>alert(document.cookie)</script>", b"<img src=x onerror=alert(1)>", b"]]>&lt;",
    b"' OR '1'='1", b"1; DROP TABLE poll; --", b"\"; SELECT load_extension('x'); --", b"Robert'); DELETE FROM alert;--",
    b"%' ESCAPE '\\", b"\\' OR 1=1 -- ", b"`id`", b"$(reboot)", b"a/**/UNION/**/SELECT/**/1", b"\x1a\x08\x7f",
    b"\x1bP+q544e\x1b\\", b"\x1b[2J\x1b[H", b"\x1b]8;;http://192.0.2.1\x1b\\click\x1b]8;;\x1b\\", b"\x9b2J\x90dcs\x9c",
    b"+1+1", b"-1+1", b"@SUM(1)", b"\tx", b"\rx", b"=HYPERLINK(\"http://192.0.2.1\")", b"a\r\nBcc: thief@example.org",
    b"a\r\n\r\n<b>body</b>", b"a\r\n.\r\nQUIT\r\n", b"=?utf-8?q?Bcc=3A_x=40example=2Eorg?=", b"[bold]rich[/bold]",
    b"[link=file:///etc]x[/link]", "e\u0301".encode(), "\u00e9".encode(), b"A", b"a", b"a ", b" a", "\u00df".encode(),
    b"ss", "\u0130\u0131".encode(), "Z\u0351\u0343\u0300".encode() * 20, "\u2028\u2029\u0085".encode(), b"None",
    b"NULL", b"nan", b"0", b"1e400", b"true", b"x" * 1024, b"\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7", b"\\N", b"\\", b"'",
    b'"', b"%00", b"${jndi:ldap://x}",
)  # fmt: skip


def folders(parent: bytes) -> list[bytes]:
    return [parent + b"/" + name for name in PATHS]


def main() -> None:
    kept = []
    for folder in folders(os.fsencode(sys.argv[1])):
        kept.append(mount(os.fsdecode(folder)))
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
