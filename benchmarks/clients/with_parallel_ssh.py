"""parallel-ssh: libssh2 and gevent. It does not look at host keys; here it does, with what libssh2 has for it.

$REMOTE is what it runs in place of `true`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import ClassVar

from pssh.clients.native import parallel, single  # type: ignore[import-not-found]
from ssh2.knownhost import (  # type: ignore[import-not-found]
    LIBSSH2_KNOWNHOST_KEY_ED25519,
    LIBSSH2_KNOWNHOST_KEYENC_RAW,
    LIBSSH2_KNOWNHOST_TYPE_PLAIN,
)

_KIND = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | LIBSSH2_KNOWNHOST_KEY_ED25519


class Checked(single.SSHClient):  # type: ignore[misc]
    """Ends the process when a host shows another key than known_hosts has: no login is tried there."""

    known: ClassVar[dict[str, bytes]] = {}

    def _init_session(self, retries: int = 1) -> None:
        super()._init_session(retries)
        known = self.session.knownhost_init()
        known.readline(self.known[f"[{self.host}]:{self.port}"])
        key, _ = self.session.hostkey()
        known.checkp(self.host.encode(), self.port, key, _KIND)


def main() -> None:
    at_once, port, user, key, known_hosts, *addresses = sys.argv[1:]
    Checked.known = {line.split()[0]: f"{line}\n".encode() for line in Path(known_hosts).read_text().splitlines()}
    parallel.SSHClient = Checked
    client = parallel.ParallelSSHClient(
        addresses,
        user=user,
        port=int(port),
        pkey=key,
        pool_size=int(at_once),
        num_retries=1,
        allow_agent=False,
        identity_auth=False,
    )
    done = client.run_command(os.environ.get("REMOTE", "true"), stop_on_errors=False)
    client.join(done, consume_output=True)
    failed = [one.exception or one.exit_code for one in done if one.exception or one.exit_code]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(addresses)} failed: {failed[0]!r}")


if __name__ == "__main__":
    main()
