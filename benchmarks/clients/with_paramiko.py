"""The yardstick: paramiko alone, a thread per host."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry


def once(address: str, port: int, user: str, key: paramiko.PKey, known: paramiko.PKey) -> None:
    client = paramiko.SSHClient()
    client.get_host_keys().add(f"[{address}]:{port}", known.get_name(), known)
    client.connect(address, port, user, pkey=key, allow_agent=False, look_for_keys=False, timeout=30)
    channel = client.get_transport().open_session()  # type: ignore[union-attr]
    channel.exec_command("true")
    while channel.recv(4096):
        pass
    if channel.recv_exit_status():
        raise RuntimeError("true failed")
    channel.close()
    client.close()


def main() -> None:
    at_once, port, user, key_file, known_hosts, *addresses = sys.argv[1:]
    key = paramiko.Ed25519Key.from_private_key_file(key_file)
    # Not HostKeys.update() for every client: its time grows with the square of the file.
    entries = filter(None, map(HostKeyEntry.from_line, Path(known_hosts).read_text().splitlines()))
    known = {name: entry.key for entry in entries for name in entry.hostnames}
    places = threading.Semaphore(int(at_once))
    failed: list[Exception] = []

    def work(address: str) -> None:
        try:
            with places:
                once(address, int(port), user, key, known[f"[{address}]:{port}"])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(address,)) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{len(failed)} of {len(addresses)} failed: {failed[0]!r}")


if __name__ == "__main__":
    main()
