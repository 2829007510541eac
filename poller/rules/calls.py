"""Functions of the language: over label values, over time, and what is missing or on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import Expression
from poller.rules.expression import Gather, Missing, Number, Past, Reaches, Selector, Tally, place_of
from poller.rules.mistake import at, meant
from poller.rules.named import check_by, groups
from poller.rules.numeral import window
from poller.rules.words import Call, Operand, Run

# name -> how it is written.
FUNCTIONS: Final = {
    "any": "any(disk.percent > 90)",
    "all": "all(network.up == 0)",
    "max": "max(disk.percent), or max(cpu.percent, 10m)",
    "min": "min(disk.percent), or min(cpu.percent, 10m)",
    "avg": "avg(disk.percent), or avg(cpu.percent, 10m)",
    "sum": "sum(network.receive_bytes_per_second)",
    "count": 'count(disk.percent > 90), or count(log{match="error"}, 10m)',
    "rate": "rate(disk.used_bytes, 1h)",
    "delta": "delta(disk.used_bytes, 1h)",
    "missing": 'missing(disk.percent{mountpoint="/srv"}), or missing(cpu.percent, 10m)',
    "reaches": "reaches(disk.percent, 100, 24h)",
}
_BACK: Final = frozenset({"avg", "max", "min", "rate", "delta"})
_SIDES: Final = {"above": True, "below": False}

Read = Callable[[Run], Expression]


def called(call: Call, read: Read) -> Expression:
    """`read` gives the tree of an argument. RuleError for a function that is not there, or is called wrongly."""
    name = call.name.text
    if name not in FUNCTIONS:
        hint = meant(name, FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}"
        raise at(call.name.place, f"there is no function {name[:60]!r}", hint)
    if name == "reaches":
        return _plain(call, _reaches(call, read))
    arguments = [read(argument) for argument in call.arguments]
    if name == "count" and isinstance(arguments[0], Tally) and (len(arguments) > 1 or not arguments[0].by):
        return _count(call, arguments[0], arguments[1:])
    if name == "missing":
        return _plain(call, _missing(call, arguments))
    if len(arguments) == 1 and name not in ("rate", "delta"):
        return _plain(call, Gather(name, arguments[0], call.place))
    if len(arguments) != 2 or name not in _BACK:
        raise _wrong(call)
    back = window(arguments[1], place_of(arguments[1]))
    return _plain(call, Past(name, _selector(call, arguments[0]), back, call.place))


def _wrong(call: Call) -> Exception:
    return at(call.place, f"{call.name.text}() is called wrongly", f"as {FUNCTIONS[call.name.text]}")


def _plain(call: Call, expression: Expression) -> Expression:
    if call.by:
        raise at(call.by[0].place, "by goes with log{...}, event{...} and count() of these")
    return expression


def _selector(call: Call, argument: Expression) -> Selector:
    if not isinstance(argument, Selector):
        hint = f"as {FUNCTIONS[call.name.text]}"
        if isinstance(argument, Tally):
            hint = "count(log{...}, 26h) == 0 tells that nothing came"
        raise at(place_of(argument), f"{call.name.text}() wants a metric here", hint)
    return argument


def _count(call: Call, tally: Tally, rest: list[Expression]) -> Tally:
    """Lines or events; `by` stands behind the parenthesis."""
    if len(rest) > 1:
        raise _wrong(call)
    if tally.by:
        raise at(tally.place, "by stands behind the parenthesis", "count(log{...}, 10m) by source")
    check_by(call.by, groups(tally))
    back = window(rest[0], place_of(rest[0])) if rest else 0.0
    by = tuple(sorted({word.text for word in call.by}))
    return replace(tally, window=back, by=by, counted=True, place=call.place)


def _missing(call: Call, arguments: list[Expression]) -> Missing:
    if len(arguments) > 2:
        raise _wrong(call)
    of = _selector(call, arguments[0])
    back = window(arguments[1], place_of(arguments[1])) if len(arguments) == 2 else 0.0
    return Missing(of, back, call.place)


def _reaches(call: Call, read: Read) -> Reaches:
    """reaches(metric, limit, within[, above or below]); without the last, towards what is worse."""
    side = _side(call.arguments[-1]) if len(call.arguments) == 4 else None
    if len(call.arguments) != 3 + (side is not None):
        raise _wrong(call)
    of, limit, within = (read(argument) for argument in call.arguments[:3])
    selector = _selector(call, of)
    if not isinstance(limit, Number):
        raise at(place_of(limit), "reaches() wants a number here", f"as {FUNCTIONS['reaches']}")
    ahead = window(within, place_of(within))
    above = CATALOGUE[selector.metric].higher_is_worse if side is None else side
    return Reaches(selector, limit, ahead, above, call.place)


def _side(argument: Run) -> bool:
    word = argument.items[0] if len(argument.items) == 1 else None
    if not isinstance(word, Operand) or word.word.text not in _SIDES:
        raise at(argument.place, "above or below is wanted here")
    return _SIDES[word.word.text]
