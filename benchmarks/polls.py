"""CPU of a cold poll beside bare paramiko, Ansible's `setup` and `pyinfra exec`; start-up subtracted on each side."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.fleet import HOSTS, Fleet
from benchmarks.measure import Row, cost, spread

ROOT = Path(__file__).resolve().parents[1]
PEERS = ("ansible-core", "pyinfra")


def rows(fleet: Fleet, runs: int) -> Iterator[Row]:
    """Each run measures all sides one after the other, so that a slow minute is slow for all of them."""
    poller: list[float] = []
    bare: list[float] = []
    ansible: list[float] = []
    pyinfra: list[float] = []
    peers = _peers(fleet)
    _per_host(lambda count: _poller(fleet, count))  # the first polls of a host write its inventories
    for _ in range(runs):
        poller.append(_per_host(lambda count: _poller(fleet, count)))
        bare.append(_per_host(lambda count: _bare(fleet, count)))
        ansible.append(_per_host(lambda count: _ansible(fleet, peers, count), few=2, many=12))
        pyinfra.append(_per_host(lambda count: _pyinfra(fleet, peers, count), few=2, many=22))
    yield _row("a cold poll beside bare paramiko connect + exec true", poller, bare, 2.0)
    yield _row("a cold poll beside Ansible setup with pipelining", poller, ansible, 1 / 15)
    yield _row("a cold poll beside pyinfra exec -- uptime", poller, pyinfra, 1.0)


def _row(claim: str, ours: list[float], theirs: list[float], target: float) -> Row:
    figures = f"CPU ms per host: {spread(ours, 1000)} beside {spread(theirs, 1000)}"
    return Row(claim, figures, tuple(a / b for a, b in zip(ours, theirs, strict=True)), target)


def _per_host(cpu: Callable[[int], float], *, few: int = 1, many: int = HOSTS) -> float:
    """Seconds of CPU that one more host costs."""
    return (cpu(many) - cpu(few)) / (many - few)


def _poller(fleet: Fleet, count: int) -> float:
    return cost(fleet.poller(count), folder=ROOT, environment=fleet.environment()).cpu


def _bare(fleet: Fleet, count: int) -> float:
    sshd = fleet.sshd
    words = [str(count), str(sshd.port), sshd.user, str(sshd.client_key), str(sshd.known_hosts)]
    return cost([sys.executable, "-m", "benchmarks.bare", *words], folder=ROOT, environment=fleet.environment()).cpu


def _peers(fleet: Fleet) -> Path:
    """The environment of the peers, made once, beside the checkout's own."""
    folder = ROOT / ".venv-bench"
    if not (folder / "bin" / "pyinfra").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *PEERS], check=True)
    return folder / "bin"


def _ansible(fleet: Fleet, peers: Path, count: int) -> float:
    sshd = fleet.sshd
    arguments = f"-o UserKnownHostsFile={sshd.known_hosts} -o ControlMaster=no -o ControlPath=none -F none"
    inventory = fleet.folder / f"inventory{count}.ini"
    inventory.write_text(
        "[all:vars]\nansible_python_interpreter=/usr/bin/python3\nansible_pipelining=true\n"
        f"ansible_ssh_common_args={arguments}\n[all]\n"
        + "".join(
            f"h{number} ansible_host=127.0.0.1 ansible_port={sshd.port} ansible_user={sshd.user} "
            f"ansible_ssh_private_key_file={sshd.client_key}\n"
            for number in range(count)
        )
    )
    command = [str(peers / "ansible"), "all", "-i", str(inventory), "-m", "setup", "-f", "5"]
    return cost(command, folder=fleet.folder, environment=fleet.environment() | {"ANSIBLE_HOME": str(fleet.folder)}).cpu


def _pyinfra(fleet: Fleet, peers: Path, count: int) -> float:
    sshd = fleet.sshd
    hosts = [
        (
            f"h{number}",
            {
                "ssh_hostname": "127.0.0.1",
                "ssh_port": sshd.port,
                "ssh_user": sshd.user,
                "ssh_key": str(sshd.client_key),
                "ssh_known_hosts_file": str(sshd.known_hosts),
                "ssh_allow_agent": False,
                "ssh_look_for_keys": False,
            },
        )
        for number in range(count)
    ]
    inventory = fleet.folder / f"inventory{count}.py"
    inventory.write_text(f"hosts = {hosts!r}\n")
    command = [str(peers / "pyinfra"), "-y", "--parallel", "5", str(inventory), "exec", "--", "uptime"]
    return cost(command, folder=fleet.folder, environment=fleet.environment()).cpu
