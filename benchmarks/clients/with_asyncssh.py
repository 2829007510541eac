"""asyncssh: one event loop, a semaphore."""

from __future__ import annotations

import asyncio
import sys

import asyncssh  # type: ignore[import-not-found]


async def main() -> None:
    at_once, port, user, key, known_hosts, *addresses = sys.argv[1:]
    places = asyncio.Semaphore(int(at_once))
    # Both read once, as the other sides do.
    options = asyncssh.SSHClientConnectionOptions(
        username=user,
        client_keys=[asyncssh.read_private_key(key)],
        known_hosts=asyncssh.read_known_hosts(known_hosts),
        agent_path=None,
        config=None,
    )

    async def once(address: str) -> None:
        async with places, asyncssh.connect(address, int(port), options=options) as connection:
            await connection.run("true", check=True)

    done = await asyncio.gather(*map(once, addresses), return_exceptions=True)
    failed = [one for one in done if one is not None]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(addresses)} failed: {failed[0]!r}")


if __name__ == "__main__":
    asyncio.run(main())
