"""Many hosts at once: some hang, one sshd is busy or punishes, the poller lacks memory, descriptors or threads."""

from __future__ import annotations

import subprocess
from typing import Any, Final

from faults.experiment import Experiment
from faults.hosts import Compared, element, healthy, in_time, outcome, spread_sshd
from faults.lab import MIB, Lab
from faults.lateness import lateness, undisturbed
from tests.end_to_end.sshd import Sshd, keygen
from tests.ssh import hostile

# Two polls of one host that were under way at the same moment.
_OVERLAPS: Final = """
SELECT count(*) FROM poll a JOIN poll b ON a.host_id = b.host_id AND a.id < b.id
 WHERE a.outcome <> 'skipped' AND b.outcome <> 'skipped'
   AND a.at_ms < b.at_ms + b.seconds * 1000 AND b.at_ms < a.at_ms + a.seconds * 1000
"""
GOOD: Final = ("ok", "partial")
_FEW_THREADS: Final = (f"--stack={2048 * MIB}", f"--as={(7 * 2048 + 1024) * MIB}")


def hanging_share(lab: Lab) -> str:
    """A fifth of fifty hosts hang for ever and one takes almost its whole deadline, round after round."""
    count, rounds, seconds = lab.size(short=8, full=39), lab.size(short=1, full=10), lab.size(short=2, full=6)
    hung = lab.size(short=2, full=10)
    compared = Compared(lab, count, seconds)
    names = [f"hung{number}" for number in range(hung)]
    hosts = "".join(_hung(lab, hung, compared.sshd))
    hosts += _slow(lab, seconds - 1)
    site, found, made = compared.rounds(hosts, rounds)
    for one in found:
        in_time(one, names, ["handshake/timeout"], seconds)
        assert outcome(one["slow"]) in GOOD, outcome(one["slow"])
    assert site.rows(_OVERLAPS) == [(0,)], "two polls of one host at once"
    ((least, most),) = site.rows("SELECT min(n), max(n) FROM (SELECT count(*) AS n FROM poll GROUP BY host_id)")
    assert (least, most) == (rounds, rounds), f"{least} to {most} polls of each host in {rounds} rounds"
    growth = compared.growth(made)
    others = undisturbed(lateness(site, {*names, "slow"}), lateness(compared.calm))
    return f"{hung} of {count + hung + 1} hang, {rounds} rounds: {others}; {growth / MIB:.1f} MB more"


def _hung(lab: Lab, count: int, sshd: Sshd) -> list[str]:
    """Hosts that never speak, few enough at one address and port that none waits for another."""
    servers = [lab.raw(hostile.never_speaks) for _ in range(-(-count // 5))]
    return [element(servers[number // 5], f"hung{number}", sshd) for number in range(count)]


def _slow(lab: Lab, seconds: float) -> str:
    path = lab.tmp / "slow"
    path.write_text(f'#!/bin/sh\nsleep {seconds}\nexec /usr/bin/python3 "$@"\n')
    path.chmod(0o755)
    return f'<host name="slow" address="127.0.1.1" python="{path}" deadline="{seconds + 3}s"/>'


def busy_server(lab: Lab) -> str:
    """MaxStartups 2:100:2 and twenty names of one server."""
    server = lab.sshd("MaxStartups 2:100:2")
    count = lab.size(short=10, full=20)
    names = [f"name{number}" for number in range(count)]
    inbox = lab.mail()
    site = lab.site("".join(f'<host name="{name}" address="127.0.0.1" notify="ops"/>' for name in names), server,
                    inbox=inbox, more='<thresholds name="default"/>', deadline="30s")  # fmt: skip
    missing = set(names)
    rounds = 0
    while missing and rounds < 3:
        rounds += 1
        found = site.round()
        missing -= {name for name in names if found[name]["outcome"] in GOOD}
    assert not missing, f"{len(missing)} of {count} never answered"
    assert site.rows("SELECT count(*) FROM alert WHERE metric = 'host.down'") == [(0,)], "an alert host.down"
    dropped = server.log().count("drop connection") + server.log().count("past MaxStartups")
    return f"all {count} within {rounds} round(s), {dropped} connections turned away, no host.down"


def punished(lab: Lab) -> str:
    """A wrong key for one account of a server, round after round; another account of it goes on."""
    punishes = _version() >= (9, 8)
    options = ["PerSourcePenalties authfail:5s noauth:5s max:60s min:5s"] if punishes else []
    server = lab.sshd(*options)
    strange = keygen(lab.tmp / "strange")
    site = lab.site(
        f'<host name="wrong" address="127.0.0.1" identity-file="{strange}"/><host name="right" address="127.0.0.2"/>',
        server,
    )
    server.trust("127.0.0.2")
    rounds = lab.size(short=4, full=8)
    found = [site.round() for _ in range(rounds)]
    server.wait_for_log("Accepted publickey", rounds)
    attempts = server.log().count("Failed publickey") or server.log().count("Connection closed by authenticating user")
    skipped = sum(one["wrong"]["outcome"] == "skipped" for one in found)
    assert [outcome(one["wrong"]) for one in found[:2]] == ["auth/denied"] * 2
    assert attempts <= 2, f"{attempts} logins with the wrong key in {rounds} rounds"
    assert skipped == rounds - 2, f"{skipped} of {rounds} rounds skipped it"
    assert all(one["right"]["outcome"] in GOOD for one in found), "the other account did not go on"
    before = server.log().count("Connection closed by authenticating user")
    site.poller("run", "--now", "--host", "wrong", code=1)
    server.wait_for_log("Connection closed by authenticating user", before + 1)
    server.authorize(strange.with_suffix(".pub"))
    site.prefix = ("faketime", "-f", "+11m")
    # As on a machine whose clock is set: with a monotonic clock that differs from the kernel's, waits last for 11 min.
    site.extra_environment = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    assert site.round()["wrong"]["outcome"] in GOOD, "not polled again 11 minutes after its key was let in"
    site.prefix = ()
    how = "with PerSourcePenalties" if punishes else "this sshd has no PerSourcePenalties (9.8)"
    return (
        f"{attempts} attempts in {rounds} rounds, {skipped} skipped, --now tries once, ok 11 min later; "
        f"right: {rounds} answers; {how}"
    )


def _version() -> tuple[int, int]:
    said = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    major, _, minor = said.partition("OpenSSH_")[2].split("p")[0].split(",")[0].partition(".")
    return int(major or 0), int(minor or 0)


def little_memory(lab: Lab) -> str:
    """`ulimit -v`: first too little for the round, then enough again."""
    count = lab.size(short=10, full=100)
    inbox = lab.mail()
    more = '<thresholds name="test"><threshold metric="uptime.seconds" above="0" severity="low"/></thresholds>'
    hosts = healthy(count).replace("/>", ' thresholds="test" notify="ops"/>')
    site = lab.site(hosts, spread_sshd(lab), inbox=inbox, more=more)
    ends = []
    for mib in lab.size(short=(90, 160), full=(60, 90, 120, 160, 200, 260)):
        site.prefix = ("prlimit", f"--as={mib * MIB}", "--")
        with site.running("run", "-q") as process:
            ends.append(f"{mib} MB: {_end(process.wait(120))}")
    site.prefix = ()
    found = site.round()
    assert all(found[name]["outcome"] in GOOD for name in found if name), "not all answered when there was memory"
    alerts = site.rows("SELECT count(*) FROM alert WHERE metric = 'uptime.seconds'")
    assert alerts == [(count,)], f"{alerts} alerts of {count} hosts"
    told = site.rows("SELECT alert_id, notification.kind, recipient FROM notification JOIN alert ON alert.id = alert_id"
                     " WHERE metric = 'uptime.seconds'")  # fmt: skip
    assert len(told) == len(set(told)) == count, f"{len(told)} notifications"
    return f"{', '.join(ends)}; then {count} answers, {count} alerts, each told once"


def _end(code: int) -> str:
    return f"killed by {-code}" if code < 0 else f"exit {code}"


def _seconds(found: dict[str, Any]) -> float:
    return float(found[""]["seconds"])


def few_descriptors(lab: Lab) -> str:
    """`ulimit -n 64`; then a stack so large that only some threads have room (root has no `ulimit -u`)."""
    count, seconds, server = lab.size(short=5, full=10), lab.size(short=1, full=3), spread_sshd(lab)
    figures = []
    for name, limit, hung in (
        ("64 descriptors", ("--nofile=64:64",), lab.size(short=12, full=80)),
        ("7 threads", _FEW_THREADS, lab.size(short=8, full=40)),
    ):
        hosts = "".join(_hung(lab, hung, server)).replace("/>", f' deadline="{seconds}s"/>')
        site = lab.site(healthy(count) + hosts, server)
        site.prefix = ("prlimit", *limit, "--")
        site.extra_environment = {"MALLOC_ARENA_MAX": "1"}  # what is to be short is room for stacks, not for data
        found: dict[str, Any] = site.round()
        assert len(found) == count + hung + 1, f"{name}: {len(found) - 1} of {count + hung} polls came to an end"
        good = sum(found[f"web{n}"]["outcome"] in GOOD for n in range(count))
        skipped = found[""]["outcomes"]["skipped"]
        blamed = {outcome(host) for key, host in found.items() if key and host["outcome"] == "failed"}
        assert blamed == {"handshake/timeout"}, f"{name}: hosts are blamed for what the poller lacks: {blamed}"
        assert good + skipped >= count, f"{name}: {good} of {count} hosts that work answer, {skipped} are skipped"
        figures.append(
            f"{name}: {good} of {count} answer beside {hung} that hang, {skipped} skipped, in {_seconds(found):.1f} s"
        )
        site.prefix = ()
        again = site.round("--host", "web*")
        assert all(again[f"web{n}"]["outcome"] in GOOD for n in range(count)), "it does not recover"
    return "; ".join(figures) + "; without the limit all answer"


EXPERIMENTS: Final = (
    Experiment("H19", "a fifth of 50 hosts hangs, one takes almost its deadline",
               "the others are on time; one poll of a host at a time; one in every round", hanging_share),
    Experiment("H20", "20 names of one sshd with MaxStartups 2:100:2", "all answer within 3 rounds; no host.down",
               busy_server),
    Experiment("H21", "a wrong key for one account of a server", "after 2 refusals no try for 10 minutes; the other "
               "account goes on", punished),
    Experiment("H25", "the poller runs out of memory", "the next round is whole; nothing is told twice", little_memory),
    Experiment("K4", "64 descriptors; threads that cannot start", "every host comes to an end; recovers by itself",
               few_descriptors),
)  # fmt: skip
