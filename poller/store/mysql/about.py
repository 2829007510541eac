"""Which server answers, and how the way to it is protected: for people who check a set-up."""

from __future__ import annotations

from poller.store.mysql.connection import Mysql


def about(connection: Mysql) -> str:
    """Such as `10.11.6-MariaDB, TLSv1.3`."""
    ((version,),) = connection.query("SELECT VERSION()")
    ((_, tls),) = connection.query("SHOW SESSION STATUS LIKE 'Ssl_version'")
    return f"{version}, {tls or 'no TLS'}"
