"""What the server or the way to it complains about -> StoreError: one table, used at the door of the package.

The codes tell a caller what to do: `away` and `busy` try again later (busy: the whole transaction, soon), `denied`
and `absent` tell the administrator, `data` means that this row can never be stored as it is.
"""

from __future__ import annotations

from typing import Final

from mysql.connector import errors

from poller.errors import StoreError
from poller.model import ArchiveSettings

# Numbers: https://mariadb.com/kb/en/mariadb-error-code-reference/ and MySQL's errmsg-utf8.txt; 2xxx are the client's.
_NUMBERS: Final[dict[str, frozenset[int]]] = {
    "away": frozenset(
        {
            1021, 1030, 1037, 1038, 1040, 1041, 1047, 1053, 1077, 1079, 1114, 1129, 1152, 1156, 1157, 1158, 1159, 1160,
            1161, 1184, 1203, 1226, 1290, 1317, 1836, 1927, 1969, 2002, 2003, 2005, 2006, 2012, 2013, 2026, 2027, 2055,
            3024, 4031,
        }
    ),
    "denied": frozenset(
        {1044, 1045, 1130, 1142, 1143, 1227, 1251, 1370, 1410, 1524, 1698, 1820, 1862, 2059, 2061, 3118, 3159, 4151}
    ),
    "absent": frozenset({1049, 1146}),
    "busy": frozenset({1020, 1205, 1213}),
    "data": frozenset(
        {
            1048, 1062, 1118, 1153, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1452, 1644, 1690, 3140, 3819, 4025,
        }
    ),
}  # fmt: skip
_CODES: Final = {number: code for code, numbers in _NUMBERS.items() for number in numbers}

_PROGRAM: Final = "run with -vv and report it if the server is well"
_HINTS: Final = {
    "away": "history waits in the journal meanwhile; look at the server and the way to it",
    "denied": "`poller db init --print` shows the accounts and rights that are needed",
    "absent": "`poller db init --print` makes it; or check the name in <archive url=>",
    "busy": "another connection holds what this one needs; it is tried again",
    "data": "the row was refused; it stays in the journal",
}
# A part of the driver's or server's text -> what it means for whoever set this up.
_TEXTS: Final = (
    ("hostname mismatch", "its certificate is not for that name", "name the host in url= as the certificate does"),
    ("not valid for", "its certificate is not for that name", "name the host in url= as the certificate does"),
    ("certificate verify failed", "its certificate is not signed by a CA that is trusted", "check ca= in url="),
    ("Invalid CA Certificate", "the file ca= names cannot be used", "it must hold CA certificates in PEM form"),
    ("SSL is required", "it does not offer TLS", "set up TLS there; tls=off only where nobody can listen"),
    ("timed out", "no answer in time", _HINTS["away"]),
    ("max_statement_time exceeded", "the statement took too long", _HINTS["away"]),
    ("maximum statement execution time", "the statement took too long", _HINTS["away"]),
    ("' to database '", "this user lacks rights on that database", f"check the name in url=; {_HINTS['denied']}"),
    (
        "Access denied for user",
        "it refuses this user or password",
        # An account may require TLS. caching_sha2_password, the default of MySQL 8 and newer, needs a protected way for
        # the first password.
        "check the user in url= and password-file=; where TLS is off also try tls=require, which some accounts need",
    ),
    ("insecure transport", "it wants TLS", "leave tls=off out of url="),
    ("Too many connections", "it has too many connections", "raise max_connections there"),
    ("read-only", "it may not be written now", "is it a replica? name the primary in url="),
    ("is full", "its disk is full", "free some space there; history waits in the journal meanwhile"),
    ("No space left", "its disk is full", "free some space there; history waits in the journal meanwhile"),
)  # fmt: skip
_TEXT_LENGTH: Final = 300
_LOGIN: Final = frozenset({1045, 1698})


def store_error(error: Exception, settings: ArchiveSettings) -> StoreError:
    """The StoreError for a complaint of the driver. It never holds the password; foreign text in it is cut short."""
    text = str(error)
    code = _code(error, text)
    for part, sentence, hint in _TEXTS:
        if part.lower() in text.lower():
            return StoreError(f"{settings}: {sentence}", hint, code=code)
    return StoreError(f"{settings}: {_short(text)}", _HINTS.get(code, _PROGRAM), code=code)


def _code(error: Exception, text: str) -> str:
    """An interface error, or one that the driver gives no number, ends the connection: it must not be used again.

    (Others hand such a connection back to a pool and wait for it for ever: mysql-connector-python pull request 8.)
    """
    number = getattr(error, "errno", None)
    if number in _CODES:
        return _CODES[number]
    if isinstance(error, errors.DataError):
        return "data"
    lost = isinstance(error, (errors.InterfaceError, errors.PoolError)) or not isinstance(error, errors.Error)
    if lost or (isinstance(error, errors.OperationalError) and number in (None, -1)) or "not available" in text:
        return "away"
    return "store"


def login_refused(error: StoreError) -> bool:
    """Whether user or password are wrong, so that more rights would not help."""
    return getattr(error.__cause__, "errno", None) in _LOGIN


def ends_connection(error: Exception) -> bool:
    """Whether what the server still sends could be taken for the answer to the next statement, or nothing comes.

    After a read time-out the driver says that it closed the connection, but leaves it open (version 26.10): the next
    statement would get the late answer of this one.
    """
    if not isinstance(error, errors.Error) or isinstance(error, errors.InterfaceError):
        return True
    number = error.errno if isinstance(error.errno, int) else -1
    return number < 1000 or 2000 <= number < 3000 or "timed out" in str(error)


def _short(text: str) -> str:
    text = " ".join(text.split()) or "it cannot be used"
    return text if len(text) <= _TEXT_LENGTH else text[:_TEXT_LENGTH] + " ..."
