"""The far side: what is streamed into the Python of a monitored host, or run there by hand.

Standard library only, Python 3.6 or newer; writes nothing to disk and leaves no process behind. In the order
of a poll: `loader` (imports the rest from memory) -> `run` (request, answer) -> `collect` -> `collectors` (through
`host`, which alone touches the machine) -> `render` (XML) -> `seal` (with `x25519` and `aes`).

Imports are few and some stand inside functions, because they are most of what a poll costs a host: `typing`, needed
for checking alone, is behind `TYPE_CHECKING`, a constant of each module that type checkers take for true. `_signal`
and `_json` are the C halves of signal and json, whose Python halves import enum, functools, collections and re: 1 MB,
and as long as all of Python takes to start. `re` is imported once there is something to match, which is seldom.
"""
