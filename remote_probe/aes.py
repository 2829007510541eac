"""AES-256 in counter mode (FIPS 197, NIST SP 800-38A), bitsliced over Python's big integers.

Eight integers hold the text: bit p of plane i is bit i of byte p. One pass of the circuit therefore handles every
byte of every block, and nothing is looked up at a place that depends on a secret.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

    Planes = List[int]

BLOCK = 16
ROUNDS = 14


def ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Encrypts or decrypts. `key` 32 bytes; `counter` is the first counter block, 16 bytes, big-endian."""
    return ctr_with(schedule(key), counter, data)


def ctr_with(keys: "List[Planes]", counter: bytes, data: bytes) -> bytes:
    """The same with the round keys of a `schedule`, for one key that is used often."""
    if len(counter) != BLOCK:
        raise ValueError("a key has 32 bytes, a counter block 16")
    size = len(data)
    count = -(-size // BLOCK)
    first = int.from_bytes(counter, "big")
    blocks = b"".join(((first + i) % (1 << 128)).to_bytes(BLOCK, "big") for i in range(count))
    stream = _joined(_encrypted(_planes(blocks), keys, count), len(blocks))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[:size], "big")).to_bytes(size, "big")


def _planes(data: bytes) -> "Planes":
    """Bit i of every byte, for i from 0 to 7. Through text, because int() of base 2 is linear and fast."""
    size = len(data)
    whole = int.from_bytes(data, "little")
    ones, digits = (int.from_bytes(byte * size, "little") for byte in (b"\1", b"0"))
    return [int((whole >> i & ones | digits).to_bytes(size, "big") or b"0", 2) for i in range(8)]


def _joined(planes: "Planes", size: int) -> bytes:
    """The bytes whose bits the planes are."""
    ones = int.from_bytes(b"\1" * size, "big")
    whole = 0
    for i, plane in enumerate(planes):
        digits = "{:0{}b}".format(plane, size).encode("ascii")
        whole |= (int.from_bytes(digits, "big") & ones) << i
    return whole.to_bytes(size + 1, "little")[:size]


def _encrypted(state: "Planes", keys: "List[Planes]", count: int) -> "Planes":
    """The fourteen rounds over `count` blocks. A pattern of 16 bits times `every` repeats it for each block."""
    every = int.from_bytes(b"\0\1" * count, "big")
    full = every * 0xFFFF
    shift = [every * pattern for pattern in (0x1111, 0x2220, 0x0002, 0x4400, 0x0044, 0x8000, 0x0888)]
    mix = [every * pattern for pattern in (0x7777, 0x1111, 0x3333)]
    state = [plane ^ key * every for plane, key in zip(state, keys[0])]
    for number in range(1, ROUNDS + 1):
        state = [_shift_rows(plane, *shift) for plane in sub_bytes(state, full)]
        if number < ROUNDS:
            state = _mix_columns(state, *mix)
        state = [plane ^ key * every for plane, key in zip(state, keys[number])]
    return state


def _shift_rows(x: int, row0: int, right1: int, left1: int, right2: int, left2: int, right3: int, left3: int) -> int:
    """Byte 4c + r of a block is row r of column c; row r turns by r columns, which are 4r bits."""
    turned = x & row0 | (x & right1) >> 4 | (x & left1) << 12
    return turned | (x & right2) >> 8 | (x & left2) << 8 | (x & right3) >> 12 | (x & left3) << 4


def _mix_columns(state: "Planes", upper: int, first: int, half: int) -> "Planes":
    """2a[r] + 3a[r+1] + a[r+2] + a[r+3], as xtime(t[r]) + a[r+1] + t[r+2] with t[r] = a[r] + a[r+1]."""
    below = [x >> 1 & upper | (x & first) << 3 for x in state]
    t = [x ^ y for x, y in zip(state, below)]
    doubled = [t[7], t[0] ^ t[7], t[1], t[2] ^ t[7], t[3] ^ t[7], t[4], t[5], t[6]]
    return [d ^ y ^ (x >> 2 & half) ^ (x & half) << 2 for d, y, x in zip(doubled, below, t)]


def schedule(key: bytes) -> "List[Planes]":
    """The fifteen round keys, each as eight patterns of 16 bits (FIPS 197, 5.2); a word is eight planes of 4 bits."""
    if len(key) != 32:
        raise ValueError("a key has 32 bytes, a counter block 16")
    words = [_planes(key[i : i + 4]) for i in range(0, 32, 4)]
    for i in range(8, 4 * (ROUNDS + 1)):
        word = words[-1]
        if i % 8 == 0:
            word = sub_bytes([x >> 1 | (x & 1) << 3 for x in word], 0xF)
            word[i // 8 - 1] ^= 1
        elif i % 8 == 4:
            word = sub_bytes(word, 0xF)
        words.append([x ^ y for x, y in zip(words[-8], word)])
    columns = [words[i : i + 4] for i in range(0, len(words), 4)]
    return [[a | b << 4 | c << 8 | d << 12 for a, b, c, d in zip(*four)] for four in columns]


def sub_bytes(planes: "Sequence[int]", full: int) -> "Planes":
    """The S-box on every byte at once; `full` has a one for each.

    The circuit of Boyar and Peralta, "A small depth-16 circuit for the AES S-box" (2012): a linear layer, inversion
    in GF(2^8) through a tower of smaller fields, and a linear layer. Names are theirs, x0 the highest bit.
    """
    x7, x6, x5, x4, x3, x2, x1, x0 = planes
    y14, y13, y9, y8, t0 = x3 ^ x5, x0 ^ x6, x0 ^ x3, x0 ^ x5, x1 ^ x2
    y1 = t0 ^ x7
    y4, y12, y2, y5 = y1 ^ x3, y13 ^ y14, y1 ^ x0, y1 ^ x6
    y3, t1 = y5 ^ y8, x4 ^ y12
    y15, y20 = t1 ^ x5, t1 ^ x1
    y6, y10, y11 = y15 ^ x7, y15 ^ t0, y20 ^ y9
    y7, y17, y19, y16 = x7 ^ y11, y10 ^ y11, y10 ^ y8, t0 ^ y11
    y21, y18 = y13 ^ y16, x0 ^ y16

    t2, t7, t12 = y12 & y15, y13 & y16, y9 & y11
    t17 = y3 & y6 ^ t2 ^ y14 & y17 ^ t12
    t18 = y4 & x7 ^ t2 ^ y8 & y10 ^ t12
    t19 = y5 & y1 ^ t7 ^ y14 & y17 ^ t12
    t20 = y2 & y7 ^ t7 ^ y8 & y10 ^ t12
    t21, t22, t23, t24 = t17 ^ y20, t18 ^ y19, t19 ^ y21, t20 ^ y18
    t25, t26 = t21 ^ t22, t21 & t23
    t27 = t24 ^ t26
    t29 = t25 & t27 ^ t22
    t33 = (t22 ^ t26) & (t23 ^ t24) ^ t24
    t36 = t24 & (t27 ^ t33)
    t37, t38 = t36 ^ t23 ^ t33, t27 ^ t36
    t40 = t25 ^ t29 & t38
    t41, t42, t43, t44 = t40 ^ t37, t29 ^ t33, t29 ^ t40, t33 ^ t37
    t45 = t42 ^ t41
    return _output(
        (t44 & y15, t37 & y6, t33 & x7, t43 & y16, t40 & y1, t29 & y7, t42 & y11, t45 & y17, t41 & y10),
        (t44 & y12, t37 & y3, t33 & y4, t43 & y13, t40 & y5, t29 & y2, t42 & y9, t45 & y14, t41 & y8),
        full,
    )


def _output(left: "Sequence[int]", right: "Sequence[int]", full: int) -> "Planes":
    """The last linear layer of the circuit, and the constant 0x63."""
    z0, z1, z2, z3, z4, z5, z6, z7, z8 = left
    z9, z10, z11, z12, z13, z14, z15, z16, z17 = right
    t46, t47, t48, t49, t50, t51 = z15 ^ z16, z10 ^ z11, z5 ^ z13, z9 ^ z10, z2 ^ z12, z2 ^ z5
    t52, t53, t54, t55 = z7 ^ z8, z0 ^ z3, z6 ^ z7, z16 ^ z17
    t56, t57, t58, t59 = z12 ^ t48, t50 ^ t53, z4 ^ t46, z3 ^ t54
    t60, t61, t62, t63, t64 = t46 ^ t57, z14 ^ t57, t52 ^ t58, t49 ^ t58, z4 ^ t59
    t65, t66 = t61 ^ t62, z1 ^ t63
    s3, s4, s5 = t53 ^ t66, t51 ^ t66, t47 ^ t65
    s0, s6, s7 = t59 ^ t63, t56 ^ t62 ^ full, t48 ^ t60 ^ full
    s1, s2 = t64 ^ s3 ^ full, t55 ^ t64 ^ t65 ^ full
    return [s7, s6, s5, s4, s3, s2, s1, s0]
