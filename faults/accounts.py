"""What an account on a host may be like: login shells, start-up files, other SSH servers, full and read-only disks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from faults.experiment import Experiment
from faults.hosts import outcome, standing_in
from faults.lab import Lab
from faults.machine import Machine

GOOD: Final = ("ok", "partial")


def _polled(machine: Machine, hosts: str) -> dict[str, Any]:
    return machine.lab.site(hosts, machine.sshd, deadline="15s").round()


def _expect(found: dict[str, Any], expected: Mapping[str, Sequence[str]]) -> str:
    """Every host ended as one of these; the figure lists them."""
    wrong = {name: (outcome(found[name]), found[name]["error"]) for name in expected
             if outcome(found[name]) not in expected[name]}  # fmt: skip
    assert not wrong, f"expected otherwise: {wrong}"
    slowest = max(float(found[name]["seconds"]) for name in expected)
    return ", ".join(f"{name} {outcome(found[name])}" for name in expected) + f", the slowest {slowest:.2f} s"


def shells(lab: Lab) -> str:
    machine = Machine(lab)
    ways = {"dash": "/bin/dash", "bash": "/bin/bash", "tcsh": "/bin/tcsh", "fish": "/usr/bin/fish",
            "rbash": "/bin/rbash", "nologin": "/usr/sbin/nologin"}  # fmt: skip
    found = _polled(machine, "".join(machine.account(f"u{name}", shell) for name, shell in ways.items()))
    named = _expect(found, {f"u{name}": ("session/shell",) if name in ("rbash", "nologin") else GOOD for name in ways})
    for name in ("rbash", "nologin"):
        assert name in found[f"u{name}"]["error"] or "not available" in found[f"u{name}"]["error"]
    return named


def start_up_files(lab: Lab) -> str:
    """Also csh's: it reads .cshrc for every command."""
    machine = Machine(lab)
    accounts: dict[str, tuple[str, tuple[str, ...]]] = {
        "exits": ("exit", ("session/shell",)),
        "alias": ("shopt -s expand_aliases\nalias python3=false python=false sh=false", GOOD),
        "lang": ("export LANG=xx_YY.utf-7 LC_ALL=nonsense PYTHONHOME=/nowhere PYTHONPATH=/nowhere", GOOD),
        "sete": ("set -e\numask 077\nset -u", GOOD),
        "nopath": ("PATH=/nowhere", ("python/missing",)),
    }
    hosts = "".join(machine.account(name, "/bin/bash", bashrc=text + "\n") for name, (text, _) in accounts.items())
    hosts += machine.account("ucsh", "/bin/tcsh", cshrc="echo hello from csh\nset noglob\n")
    found = _polled(machine, hosts)
    return _expect(found, {**{name: expected for name, (_, expected) in accounts.items()}, "ucsh": GOOD})


def noise(lab: Lab) -> str:
    """1 MB, ANSI codes and a false frame before the report; a background process that goes on writing after it."""
    machine = Machine(lab)
    script = (
        "echo hi\nprintf '\\033[2J\\033]0;owned\\007'\nhead -c 1000000 /dev/zero | tr '\\0' x\n"
        "printf '\\n#00000000000000000000000000000000 report 4\\nfalse'\n"
        "(for n in 1 2 3 4 5 6 7 8 9; do echo later $n; sleep 0.1; done) &\n"
    )
    site = lab.site(machine.account("noisy", bashrc=script), machine.sshd, deadline="15s")
    run = site.poller("-v", "run", "--host", "noisy")
    ((stored,),) = site.rows("SELECT outcome FROM poll")
    assert stored in GOOD, stored
    logged = [line for line in run.stderr.splitlines() if "before the answer" in line]
    assert len(logged) == 1, f"the noise is logged {len(logged)} times"
    assert max(map(len, run.stderr.splitlines())) < 400, "the noise is not cut"
    return f"{stored}; 1 line of {len(logged[0])} characters tells of 1 MB of noise"


def full_disk(lab: Lab) -> str:
    """Real small file systems: no room, no inodes; and a home that is read-only."""
    machine = Machine(lab)
    hosts = "".join(machine.account(name) for name in ("nospace", "noinodes", "readonly"))
    image = lab.folder("images")
    for name, options in (("nospace", ""), ("noinodes", "-N 32")):
        machine.space.sh(
            f"truncate -s 4M '{image}/{name}' && mkfs.ext4 -q -m 0 -O ^has_journal {options} '{image}/{name}' && "
            f"mkdir /home/new && mount -o loop '{image}/{name}' /home/new && cp -a /home/{name}/. /home/new && "
            f"chown --reference=/home/{name} /home/new && chmod 700 /home/new && "
            f"mount --move /home/new /home/{name} && rmdir /home/new"
        )
    machine.space.sh(
        "dd if=/dev/zero of=/home/nospace/ballast bs=4k 2>/dev/null || true; n=0; "
        "while touch /home/noinodes/$n 2>/dev/null; do n=$((n+1)); done; "
        "mount --bind /home/readonly /home/readonly && mount -o remount,bind,ro /home/readonly"
    )
    found = _polled(machine, hosts)
    named = _expect(found, dict.fromkeys(("nospace", "noinodes", "readonly"), GOOD))
    full = found["nospace"]["metrics"]['disk.percent{mountpoint="/home/nospace"}']
    inodes = found["noinodes"]["metrics"]['disk.inodes_percent{mountpoint="/home/noinodes"}']
    assert full > 99, f"the full disk is reported as {full:.1f} %"
    assert inodes > 99, f"the inodes are reported as {inodes:.1f} %"
    return f"{named}; space {full:.1f} %, inodes {inodes:.1f} %"


def no_python(lab: Lab) -> str:
    """No interpreter, an old one, ones that crash; and a host where nothing can be written or executed."""
    machine = Machine(lab)
    scripts: dict[str, tuple[str, tuple[str, ...]]] = {
        "old": ('exec $PYTHON -IS -c \'import sys; sys.version_info = (3, 4, 10, "final", 0); exec(sys.argv[1])\' "$3"',
                ("python/version",)),
        "raises": ("exec $PYTHON -IS -c 'import sys; sys.stdin.buffer.read(100); 1 / 0'", ("probe/crash",)),
        "segfault": ("kill -SEGV $$", ("probe/crash",)),
        "stops": ("exit 3", ("probe/silent",)),
    }  # fmt: skip
    hosts = "".join(standing_in(lab, name, script) for name, (script, _) in scripts.items())
    hosts += '<host name="missing" address="127.0.0.1" python="/nowhere/python3"/>'
    hosts += machine.account("bare", bashrc="PATH=\n").replace("/>", ' python="/usr/bin/python3"/>')
    keys = machine.sshd.authorized_keys  # the stand-ins are root's to run, or whoever's the experiment is
    _let_in(machine, keys.read_text())
    site = lab.site(hosts, machine.sshd, deadline="15s")
    found, _ = site.measured_round()  # its output shows the last words of an interpreter: a traceback's
    named = _expect(found, {**{name: ends for name, (_, ends) in scripts.items()}, "missing": ("python/missing",)})
    machine.space.sh("for at in /tmp /var/tmp /dev/shm; do mount --bind $at $at; "
                     "mount -o remount,bind,noexec $at; done; "
                     "mount -o remount,bind,ro /; mount -o remount,ro,noexec /home")  # fmt: skip
    bare = _expect(site.round("--host", "bare"), {"bare": GOOD})
    return f"{named}; nothing writable or executable: {bare} (old: a stand-in that calls itself 3.4)"


def _let_in(machine: Machine, keys: str) -> None:
    """The account that conducts the experiment may log in as well."""
    path = Path(f"{machine.space.root}/home/{machine.sshd.user}/.ssh/authorized_keys")
    machine.space.sh(f"mkdir -p /home/{machine.sshd.user}/.ssh")
    path.write_text(keys)


def dropbear(lab: Lab) -> str:
    """A real server that is not OpenSSH: two polls of one account, and a key that it does not know."""
    machine = Machine(lab)
    known = machine.account("known")
    strange = machine.account("strange")
    machine.space.sh(": >/home/strange/.ssh/authorized_keys")
    port = machine.dropbear()
    site = lab.site((known + strange).replace("/>", f' port="{port}"/>'), machine.sshd, deadline="15s")
    first, second = site.round(), site.round()
    named = _expect(second, {"known": GOOD, "strange": ("auth/denied",)})
    assert outcome(first["known"]) in GOOD
    return named


def jump(lab: Lab) -> str:
    """Through a second sshd; then the same while the jump host refuses."""
    target, gate = lab.sshd(), lab.sshd()
    gate.authorize(target.client_key.with_suffix(".pub"))
    with target.known_hosts.open("a") as file:
        file.write(gate.known_line())
    inner = "".join(f'<host name="inner{n}" address="127.0.0.1" proxy-jump="{gate.user}@127.0.0.1:{gate.port}"/>'
                    for n in range(3))  # fmt: skip
    site = lab.site(inner, target)
    names = {f"inner{n}": GOOD for n in range(3)}
    through = _expect(site.round(), names)
    logins = gate.log().count("Accepted publickey")
    assert logins == 1, f"{logins} logins at the jump host"
    gate.authorized_keys.write_text("")
    refused = site.round()
    _expect(refused, dict.fromkeys(names, ("connect/jump",)))
    return f"{through}, by 1 login at the jump host; refused there: connect/jump"


EXPERIMENTS: Final = (
    Experiment("H11", "start-up files print 1 MB, terminal codes and a false frame, and go on after the report",
               "the report is taken; one cut line tells of the noise", noise),
    Experiment("H12", "start-up files exit, set aliases, LANG, PATH, set -e, umask",
               "works, or says what stood in the way", start_up_files),
    Experiment("H12-shells", "login shells dash, bash, tcsh, fish, rbash, nologin",
               "works, or session/shell with the shell's words", shells),
    Experiment("H13", "no Python, an old one, ones that crash; nothing writable or executable",
               "named by stage and code; never a report", no_python),
    Experiment("H14", "no space, no inodes, a read-only home on the host",
               "the report arrives and shows it", full_disk),
    Experiment("H-dropbear", "Dropbear instead of OpenSSH",
               "polled as any other; a wrong key is auth/denied", dropbear),
    Experiment("H-jump", "hosts behind a jump host, which then refuses", "one login there for all; connect/jump", jump),
)  # fmt: skip
