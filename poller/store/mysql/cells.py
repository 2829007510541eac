"""Values as the server sends them -> values as SQLite gives them, so that whoever reads sees no difference."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any


def plain(cell: Any) -> Any:
    """A decimal number becomes int or float, a datetime the text that the views of SQLite show."""
    if isinstance(cell, Decimal):
        return int(cell) if cell.as_tuple().exponent == 0 else float(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ", "seconds" if not cell.microsecond else "milliseconds")
    if isinstance(cell, (datetime.date, datetime.timedelta)):
        return str(cell)
    if isinstance(cell, (bytearray, memoryview)):
        return bytes(cell)
    return cell
