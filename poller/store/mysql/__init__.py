"""An archive in MySQL or MariaDB: connecting, errors in words, the schema, questions. The one door to mysql.connector.

`connect(settings)` gives a `Mysql`: one connection for one thread, with every setting that matters made explicit.
What goes wrong leaves this package as StoreError. MariaDB 10.6 or newer, MySQL 8.0.23 or newer.
"""

from poller.store.mysql.connection import Mysql, connect

__all__ = ["Mysql", "connect"]
