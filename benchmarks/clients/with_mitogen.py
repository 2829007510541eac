"""mitogen: OpenSSH's client carries its own first stage, a Python over there that then answers calls."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import mitogen.master  # type: ignore[import-not-found]
import mitogen.utils  # type: ignore[import-not-found]


def main() -> None:
    at_once, port, user, key, known_hosts, *addresses = sys.argv[1:]
    arguments = ["-F", "none", "-o", f"UserKnownHostsFile={known_hosts}", "-o", "GlobalKnownHostsFile=none"]
    broker = mitogen.master.Broker()
    router = mitogen.master.Router(broker)

    def once(address: str) -> None:
        context = router.ssh(
            hostname=address,
            port=int(port),
            username=user,
            identity_file=key,
            check_host_keys="enforce",
            ssh_args=arguments,
            python_path="/usr/bin/python3",
            connect_timeout=60,
        )
        if not context.call(os.getpid):
            raise RuntimeError("no answer")
        context.shutdown(wait=True)

    try:
        with ThreadPoolExecutor(int(at_once)) as pool:
            list(pool.map(once, addresses))
    finally:
        broker.shutdown()
        broker.join()


if __name__ == "__main__":
    main()
