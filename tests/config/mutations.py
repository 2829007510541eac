"""What happens to files: cut, lost, doubled, swapped, foreign bytes."""

from __future__ import annotations

import random

SNIPPETS = [
    *(b"<", b">", b"&", b"&a;", b'"', b"'", b"</poller>", b"<host", b"<host name='me'/>", b"<!DOCTYPE poller>"),
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"${", b"${X}", b" above='nan'", b" off='yes'", b"[1-9999]"),
    *(b"<rule name='x'>", b"</rule>", b"<escalate after='1m' notify='none'/>", b" and ", b"(", b"{", b"by x", b'"'),
    *(b" clear='1 &lt; 2'", b" reaches='9' within='1h'", b" parent='me'", b" hours='mon'", b" zone='UTC'", b"24:00"),
    *(b"\0", b"\x1b", b"\xff", b"\xe2\x80\xae", b"\xf0\x9f\x90\x8d", b"\n", b"-1", b"1e400", b"mailto:", b"+", b"none"),
]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to three things that happen to files: cut, lost, doubled, swapped, foreign bytes."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 1, 5, 40, 400)))
        kind = chance.randrange(6)
        if kind == 0:
            data = data[:start]
        elif kind == 1:
            data = data[:start] + data[end:]
        elif kind == 2:
            data = data[:end] + data[start:end] + data[end:]
        elif kind == 3:
            data = data[:start] + chance.choice(SNIPPETS) + data[start:]
        elif kind == 4:
            data = data[:start] + chance.choice(SNIPPETS) + data[end:]
        else:
            data = data[:start] + bytes(chance.randrange(256) for _ in range(end - start)) + data[end:]
    return data


def values_swapped(data: bytes, chance: random.Random) -> bytes:
    """Well-formed still, but with the quoted values of other attributes: finds what the syntax checks hide."""
    parts = data.split(b'"')
    odd = list(range(1, len(parts), 2))
    for _ in range(chance.randint(1, 8)):
        parts[chance.choice(odd)] = parts[chance.choice(odd)]
    return b'"'.join(parts)
