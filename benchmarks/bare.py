"""The yardstick: paramiko alone connects to a host and runs `true`, with the key verified, as often as asked.

python -m benchmarks.bare COUNT AT_ONCE PORT USER KEY KNOWN_HOSTS
"""

from __future__ import annotations

import sys
import threading

import paramiko


def once(port: int, user: str, key: paramiko.PKey, known: paramiko.HostKeys) -> None:
    client = paramiko.SSHClient()
    client.get_host_keys().update(known)
    client.connect("127.0.0.1", port, user, pkey=key, allow_agent=False, look_for_keys=False, timeout=30)
    channel = client.get_transport().open_session()  # type: ignore[union-attr]
    channel.exec_command("true")
    while channel.recv(4096):
        pass
    if channel.recv_exit_status():
        raise RuntimeError("true failed")
    channel.close()
    client.close()


def main() -> None:
    count, at_once, port, user, key_file, known_hosts = sys.argv[1:]
    key = paramiko.Ed25519Key.from_private_key_file(key_file)
    known = paramiko.HostKeys(known_hosts)
    places = threading.Semaphore(int(at_once))
    failed: list[Exception] = []

    def work() -> None:
        try:
            with places:
                once(int(port), user, key, known)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(int(count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{len(failed)} of {count} failed: {failed[0]!r}")


if __name__ == "__main__":
    main()
