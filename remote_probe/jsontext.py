"""JSON -> values, by the C half of the module json; what that does not take is for the other half, or refused by it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Scanned:
    """What the scanner of `_json` wants to know, as JSONDecoder has it."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


def parsed(text: str) -> "Any":
    """The value that `text` is. Raises ValueError."""
    try:
        from _json import make_scanner

        value, end = make_scanner(Scanned)(text, 0)  # type: ignore[arg-type]
        if end == len(text):
            return value
    except (ImportError, AttributeError, StopIteration, ValueError):
        pass
    import json

    return json.loads(text)
