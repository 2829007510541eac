"""What a file and the journal have in common as sources of lines: how far they were read, and the row that says so."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict

    from remote_probe.host import Value

NEVER = "-"  # the cursor of what was not there when it was looked for


class Source:
    """`began` is the cursor that the request held, `cursor` the one to go on with. The rest is as in the report."""

    def __init__(self, log: str, path: bytes, began: str) -> None:
        self.log = log
        self.path = path
        self.began = self.cursor = began
        self.state, self.reason = "ok", ""
        self.behind = self.lost = 0

    def failed(self, error: Exception) -> None:
        self.state = "failed"
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            self.state = "absent"
        elif isinstance(error, PermissionError):
            self.state = "denied"
        self.reason = getattr(error, "strerror", None) or str(error)

    def row(self, zone: str) -> "Dict[str, Value]":
        return {
            "log": self.log,
            "path": self.path,
            "state": self.state,
            "reason": self.reason,
            "began": self.began,
            "cursor": self.cursor,
            "behind": self.behind,
            "lost": self.lost,
            "zone": zone,
        }
