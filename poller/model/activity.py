"""Processes, services, people, checks, failing hardware as a probe reports them: fields equal the XML attributes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """Section `top`: a process that used most CPU time in its life, or that holds most memory.

    `cpu` seconds of CPU since it began, `started` seconds after boot, `memory` resident bytes. `command` is "" unless
    command lines were asked for. `user` is "" where its name is not known.
    """

    pid: int
    name: str
    uid: int
    user: str
    state: str
    threads: int
    started: float
    cpu: float
    memory: int
    command: str


@dataclass(frozen=True, slots=True)
class ProcessCount:
    """Section `top`, element `process_count`: how many processes have that name, of the names that were asked for."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Unit:
    """Section `units`: a systemd unit that failed or was asked for. States as systemctl(1) names them."""

    unit: str
    load: str
    active: str
    sub: str
    description: str


@dataclass(frozen=True, slots=True)
class Check:
    """Section `checks`: one command of config.xml, run as a monitoring plugin. `status` 0 ok to 3 unknown."""

    check: str
    status: int
    output: str
    perfdata: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TextFile:
    """Section `textfiles`, element `textfile`: one file of metrics; `at` when it was written, epoch seconds."""

    file: str
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Series:
    """Section `textfiles`, element `series`: `name{label="value"}` and its value as text: may be negative or NaN."""

    series: str
    value: str


@dataclass(frozen=True, slots=True)
class People:
    """Section `people`: one row. `source` of the logins is utmp or logind; `booted` epoch seconds.

    `reboot_pending` 1 or 0, `reboot_reason` says who wants it. `cursor`: how far wtmp was read, "" when it cannot be.
    """

    source: str
    booted: float
    reboot_pending: int
    reboot_reason: str
    began: str
    cursor: str


@dataclass(frozen=True, slots=True)
class Login:
    """Section `people`, element `login`: who is logged in now, where and from where. `since` epoch seconds."""

    user: str
    terminal: str
    source: str
    pid: int
    since: float


@dataclass(frozen=True, slots=True)
class LoginRecord:
    """Section `people`, element `record`: one of wtmp since the last poll. `action` login, logout, boot or shutdown."""

    number: int
    action: str
    user: str
    terminal: str
    source: str
    pid: int
    at: float


@dataclass(frozen=True, slots=True)
class Sensor:
    """Section `hardware`: a temperature (Documentation/hwmon/sysfs-interface.rst). `critical` 0: no such limit."""

    sensor: str
    celsius: float
    critical: float


@dataclass(frozen=True, slots=True)
class RaidArray:
    """Section `hardware`, element `raid`: an array of /proc/mdstat (md(4)). `recovering` percent, 0 if it does not."""

    array: str
    level: str
    state: str
    disks: int
    working: int
    recovering: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Section `hardware`, element `fault`: errors that the kernel counted since boot.

    `kind` is memory_corrected, memory_uncorrected (EDAC), disk, filesystem or link; `device` what they happened to.
    """

    kind: str
    device: str
    count: int
