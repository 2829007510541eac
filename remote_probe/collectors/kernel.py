"""Section `kernel`: messages of the kernel that tell of USB, or of hardware that fails, each once.

From /dev/kmsg (Documentation/ABI/testing/dev-kmsg), else from the journal, else from the file a syslog daemon writes.
Only what the kernel itself said counts: facility 0. In a file that rests on the program name alone.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, List, Tuple

    from remote_probe.host import Host, Rows

    Message = Tuple[float, int, bytes]  # epoch seconds, priority, text
    Log = Tuple[str, int, List[Message]]  # the cursor without the name of the source, how many are lost, messages

MOST = 100  # messages of USB, and as many of trouble: neither hides the other
USB = rb"usb \d+-[\d.]+: (?:New USB device found|Product: |Manufacturer: |SerialNumber: |USB disconnect)"
TROUBLE = (
    rb"(?:\w+: )?(?:I/O|critical [\w ]+|device offline|protection|recovered) error, dev |Buffer I/O error on dev"
    rb"|(?:nvme )?nvme\w+: I/O|md/\S+: Disk failure|Aborting journal on device|\S+-fs error "
    rb"|\S+-fs \([^)]*\): (?:I/O error|error\b|(?:Remounting filesystem|Filesystem has been set) read-only)"
    rb"|XFS \([^)]*\): .*(?:[Cc]orrupt|error|[Ss]hut)|BTRFS:? (?:error|critical)|BTRFS info .*readonly"
    rb"|(?!ata)(?:\S+ ){0,4}\S+: .*\b[Ll]ink (?:is |status definitely )?(?:up|down|Up|Down|UP|DOWN)\b"
    rb"|(?:mce: |\S*\{\d+\})?\[Hardware Error\]|EDAC \S+: \d+ [CU]E |Memory failure: "
    rb"|(?:Memory cgroup out of memory: |Out of memory: )?Kill(?:ed)? process \d+ \("
)
TELLING = USB + b"|" + TROUBLE
LONGEST = 2048  # bytes of a line that are looked at; the kernel's are half as long


def read(host: "Host") -> "Rows":
    """With the option `last` instead the last so many messages, whatever they tell of."""
    last = int(host.options.get("kernel", {}).get("last", 0))
    began = "" if last else str(host.cursors.get("kernel") or "")
    source, _, place = began.partition(" ")
    errors = []
    for name in ("kmsg", "journal", "file"):
        try:
            cursor, lost, messages = _source(name)(host, place if name == source else "", last)
        except OSError as error:
            errors.append(error)
            continue
        if last:
            kept, lost = messages[-last:], 0
        else:
            found = _telling(messages) if messages else []
            kept = list(_kept(found))
            lost += len(found) - len(kept)
        yield "kernel", {"source": name, "began": began, "cursor": name + " " + cursor, "lost": lost}
        for number, (at, priority, text) in enumerate(kept):
            yield "message", {"number": number, "at": at, "priority": priority, "text": text}
        return
    raise next((error for error in errors if isinstance(error, PermissionError)), errors[-1])


def _source(name: str) -> "Callable[[Host, str, int], Log]":
    if name == "kmsg":
        return _kmsg
    from remote_probe.collectors import kernel_daemons

    return kernel_daemons.journal if name == "journal" else kernel_daemons.file


def _telling(messages: "List[Message]") -> "List[Message]":
    import re  # most of the time there is no message

    return [message for message in messages if re.match(TELLING, message[2][:LONGEST])]


def _kept(messages: "List[Message]") -> "Iterator[Message]":
    room = [MOST, MOST]
    for message in messages:
        subject = message[2].startswith(b"usb ")
        room[subject] -= 1
        if room[subject] >= 0:
            yield message


def _kmsg(host: "Host", place: str, all_of_it: int) -> "Log":
    """The cursor is the boot id and the number of a record. All of a new boot is news."""
    boot = host.text(b"/proc/sys/kernel/random/boot_id").decode("ascii", "replace")
    known, _, number = place.partition(" ")
    after = int(number) if number and known == boot else -1
    clock, _, records = host.reach("kernel").kmsg(after).partition(b"\n")
    if not (place or all_of_it):  # how far it goes, and no more
        return "%s %d" % (boot, parse_end(records)), 0, []
    booted = host.now() - float(clock)
    last, lost, found = parse_kmsg(records, after)
    return "%s %d" % (boot, last), lost, [(max(0.0, booted + at), priority, text) for at, priority, text in found]


def parse_end(records: bytes) -> int:
    """The number of the last record; -1 when there is none."""
    heads = [line for line in records.split(b"\n") if line[:1].isdigit() and b"," in line]
    return int(heads[-1].split(b",", 2)[1]) if heads else -1


def parse_kmsg(records: bytes, after: int) -> "Tuple[int, int, List[Message]]":
    """(last number, how many are lost, messages) behind the record `after`; times in seconds of the kernel's clock."""
    lost, messages = 0, []
    for line in records.split(b"\n"):
        head, semicolon, text = line.partition(b";")
        if not semicolon or line.startswith(b" "):
            continue  # ` SUBSYSTEM=usb`: more about the record before
        prefix, number, microseconds = map(int, head.split(b",")[:3])
        if number > after:
            lost += number - after - 1
            after = number
            if prefix < 8:  # facility 0; what a program writes there has another
                messages.append((microseconds / 1e6, prefix, parse_text(text)))
    return after, lost, messages


def parse_text(text: bytes) -> bytes:
    r"""Undoes the kernel's escapes: what is not printable ASCII, and the backslash, arrives as \xHH."""
    if b"\\x" not in text:
        return text
    import re

    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found.group(1), 16)]), text)
