"""Ansible's connection variables as attributes of <host>; everything else is noted by its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from poller.config import values
from poller.config.imports.inventory import Note
from poller.config.mistakes import WrongError

# Variable -> attribute and what its text must be. Later ones are older spellings: the first that is there wins.
_CARRIED: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "ansible_host": ("address", values.address),
    "ansible_ssh_host": ("address", values.address),
    "ansible_port": ("port", values.count(1, 65535, "port")),
    "ansible_ssh_port": ("port", values.count(1, 65535, "port")),
    "ansible_user": ("user", values.word),
    "ansible_ssh_user": ("user", values.word),
    "ansible_ssh_private_key_file": ("identity-file", values.word),
    "ansible_private_key_file": ("identity-file", values.word),
    "ansible_python_interpreter": ("python", values.word),
}
_SECRET: Final = re.compile(r"ansible_.*(password|_pass|passphrase)")
_ARGUMENTS: Final = ("ansible_ssh_common_args", "ansible_ssh_extra_args")
_JUMP: Final = re.compile(r"""\s*["']?(?:-J\s*|-o\s*["']?ProxyJump[= ])([\w.@:,\[\]-]+)["']*\s*""")
_TRUE: Final = ("true", "yes", "1", "on")
_HANDLED: Final = ("ansible_connection", "ansible_become", "ansible_become_method", "ansible_become_user", *_ARGUMENTS)


@dataclass(frozen=True, slots=True)
class Variable:
    text: str
    line: int


def settings(variables: Mapping[str, Variable], notes: list[Note]) -> dict[str, str] | None:
    """Attributes by their names in config.xml; None when the host is not one to poll by SSH at all."""
    found: dict[str, str] = {}
    for name, (attribute, check) in _CARRIED.items():
        if name in variables and attribute not in found:
            _carry(name, variables[name], attribute, check, found, notes)
    for name, variable in variables.items():
        if name not in _CARRIED and name not in _HANDLED:
            notes.append(_left_out(name, variable))
    _become(variables, found, notes)
    _jump(variables, found, notes)
    return found if _connection(variables, found, notes) else None


def _carry(
    name: str,
    variable: Variable,
    attribute: str,
    check: Callable[[str], object],
    found: dict[str, str],
    notes: list[Note],
) -> None:
    if attribute == "python" and variable.text.startswith("auto"):
        return
    try:
        if "{{" in variable.text:
            raise WrongError("is a template")
        check(variable.text)
    except WrongError as wrong:
        notes.append(Note(variable.line, f"{name} {wrong.predicate}; it was left out"))
    else:
        found[attribute] = variable.text


def _left_out(name: str, variable: Variable) -> Note:
    if _SECRET.fullmatch(name):
        return Note(variable.line, f"{name} was left out: put the secret into a file of mode 0600 and name that")
    if name.startswith("ansible_"):
        return Note(variable.line, f"{name} was left out: config.xml has nothing like it")
    return Note(variable.line, f"the variable {name} was left out: it means nothing to the poller")


def _become(variables: Mapping[str, Variable], found: dict[str, str], notes: list[Note]) -> None:
    wanted = variables.get("ansible_become")
    if wanted is None or wanted.text.lower() not in _TRUE:
        return
    method, user = variables.get("ansible_become_method"), variables.get("ansible_become_user")
    if method and method.text != "sudo":
        notes.append(Note(method.line, f"ansible_become_method={method.text} was left out: only sudo is known"))
    elif user and user.text != "root":
        notes.append(Note(user.line, f"ansible_become_user={user.text} was left out: sudo is to root only"))
    else:
        found["become"] = "sudo"


def _jump(variables: Mapping[str, Variable], found: dict[str, str], notes: list[Note]) -> None:
    for name in _ARGUMENTS:
        if name in variables:
            match = _JUMP.fullmatch(variables[name].text)
            if match:
                found["proxy-jump"] = match[1]
            else:
                notes.append(Note(variables[name].line, f"{name} was left out: put such options into ssh_config"))


def _connection(variables: Mapping[str, Variable], found: dict[str, str], notes: list[Note]) -> bool:
    connection = variables.get("ansible_connection")
    if connection is None or connection.text in ("ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh"):
        return True
    if connection.text in ("local", "ansible.builtin.local"):
        found["address"] = "local"
        return True
    notes.append(Note(connection.line, f"ansible_connection={connection.text}: the hosts it applies to were left out"))
    return False
