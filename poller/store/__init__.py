"""Journal and archive: one SQLite file that holds what the poller remembers and what people ask, unless history is
kept elsewhere: then `archive` takes it there (its SQL for servers stands in `mysql`).

`Journal.open(path, now_ms=...)` gives the writer; one thread owns it. `transaction()` gives the `Work` of one
batch. `views` and `query` read, `lock` keeps pollers apart. SQL stands in `poller.sql`, named statements are
loaded by aiosql. The one door to sqlite3: its exceptions leave this package as StoreError.
"""

from poller.store.cursors import unread
from poller.store.journal import Journal
from poller.store.lock import Leases, RoundLock
from poller.store.notices import Notice
from poller.store.work import Work

__all__ = ["Journal", "Leases", "Notice", "RoundLock", "Work", "unread"]
