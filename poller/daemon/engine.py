"""Which engine polls: threads of this process, or workers that share the hosts when config.xml asks for several."""

from __future__ import annotations

from collections.abc import Callable

from poller.fleet.engine import Engine
from poller.model import Config, Event


def engine(config: Config, on_loss: Callable[[Event], None]) -> Engine:
    """Not begun yet. `on_loss` is told when a worker has died."""
    if config.processes > 1:
        from poller.fleet.shards import Shards

        return Shards(config, on_loss)
    from poller.fleet.threads import Threads

    return Threads(config)
