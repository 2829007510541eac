"""History elsewhere: from the journal to a MySQL or MariaDB server, or to a second SQLite file, and back.

`tables` is the registry: what is carried, what makes a row the same row there. `ship` sends what is new after each
round; `rebuild` fills an empty journal; `copy` and `verify` take whole databases; `trim` cuts the history there.
Behind the protocol `Archive` (poller.model.contracts) stand `sqlite` and `mysql`.
"""

from poller.store.archive.rebuilding import rebuild
from poller.store.archive.rolling import roll_up_archive
from poller.store.archive.shipping import Shipped, ship
from poller.store.archive.trimming import trim

__all__ = ["Shipped", "rebuild", "roll_up_archive", "ship", "trim"]
