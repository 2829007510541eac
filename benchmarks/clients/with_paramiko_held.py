"""The yardstick of a session that stays: what paramiko alone spends on a question, and holds in memory.

    python FILE PORT USER KEY KNOWN_HOSTS FEW MANY TRIPS

Opens so many connections, each with a channel to a program that answers a line with 4,096 bytes. Prints JSON:
`seconds` of CPU per question over one channel, asked one after the other; `idle`, seconds of CPU per connection and
second in which nothing is asked; `bytes` of resident memory per connection, from FEW to MANY.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry

ANSWER = 4096
REST_SECONDS = 5.0
FAR_SIDE = f"""exec python3 -IS -c 'import sys
for _ in sys.stdin.buffer: sys.stdout.buffer.write(bytes({ANSWER})), sys.stdout.flush()'"""


def opened(
    address: str, port: int, user: str, key: paramiko.PKey, known: paramiko.PKey
) -> tuple[paramiko.SSHClient, paramiko.Channel]:
    client = paramiko.SSHClient()
    client.get_host_keys().add(f"[{address}]:{port}", known.get_name(), known)
    client.connect(address, port, user, pkey=key, allow_agent=False, look_for_keys=False, timeout=30)
    channel = client.get_transport().open_session()  # type: ignore[union-attr]
    channel.exec_command(FAR_SIDE)
    return client, channel


def ask(channel: paramiko.Channel) -> None:
    channel.sendall(b"?\n")
    missing = ANSWER
    while missing:
        came = len(channel.recv(missing))
        if not came:
            raise SystemExit("the far side ended")
        missing -= came


def resident() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))


def main() -> None:
    port, user, key_file, known_hosts, few, many, trips = sys.argv[1:]
    key = paramiko.Ed25519Key.from_private_key_file(key_file)
    entry = HostKeyEntry.from_line(Path(known_hosts).read_text().splitlines()[0])
    assert entry and entry.key
    opens: list[tuple[paramiko.SSHClient, paramiko.Channel]] = []
    sizes: list[int] = []
    for most in (int(few), int(many)):
        for number in range(len(opens), most):
            address = f"127.1.{number // 250}.{number % 250 + 1}"
            opens.append(opened(address, int(port), user, key, entry.key))
            ask(opens[-1][1])
        sizes.append(resident())
    begin = time.process_time()
    for _ in range(int(trips)):
        ask(opens[0][1])
    seconds = (time.process_time() - begin) / int(trips)
    begin = time.process_time()
    time.sleep(REST_SECONDS)
    idle = (time.process_time() - begin) / REST_SECONDS / len(opens)
    held = (sizes[1] - sizes[0]) / (int(many) - int(few))
    print(json.dumps({"seconds": seconds, "idle": idle, "bytes": held}), flush=True)
    for client, _ in opens:
        client.close()


if __name__ == "__main__":
    main()
