"""The commands that the poller is compared with, each at the same hosts.

What makes the comparison fair:
- everybody connects anew to every host, logs in with the same key and must know the host's key: ControlMaster is off
  for Ansible, StrictHostKeyChecking is on for all (`prove` shows that a wrong host key is refused);
- everybody works on as many hosts at the same time;
- Ansible pipelines and has its interpreter named, so it neither copies files nor looks for a Python; `setup` gathers
  about what the probe gathers. Everybody else runs `true` or the like and gathers nothing: they are the floor;
- children count: Ansible's workers and the ssh processes they start are part of what it costs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.fleet import AT_ONCE, NUMBERS, Fleet, address
from benchmarks.measure import Cost, cost
from poller.model import Before
from poller.probe.payload import build
from poller.probe.payload import command as probe_command
from poller.probe.request import Request

ROOT: Final = Path(__file__).resolve().parents[1]
ENVIRONMENT: Final = ROOT / ".venv-bench"
# Lower bounds. For hosts all but the last two; Glances and psutil for what the probe gathers.
REQUIREMENTS: Final = (
    "ansible-core>=2.17",
    "pyinfra>=3.2",
    "asyncssh>=2.18",
    "parallel-ssh>=2.14",
    "mitogen>=0.3.20",
    "glances>=4.3",
    "psutil>=6",
)
CHECK_BY_SSH: Final = Path("/usr/lib/nagios/plugins/check_by_ssh")


def install() -> Path:
    """The folder with the peers' programs: an environment of their own beside the checkout's, made once."""
    made = ENVIRONMENT / "requirements.txt"
    wanted = "".join(f"{requirement}\n" for requirement in REQUIREMENTS)
    if not made.exists() or made.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, *REQUIREMENTS], check=True)
        made.write_text(wanted)
    return ENVIRONMENT / "bin"


@dataclass(frozen=True, slots=True)
class Peers:
    """Each method costs (`Cost`) so many hosts; RuntimeError when it did not reach each of them."""

    fleet: Fleet
    programs: Path

    def versions(self) -> str:
        """Of all that is compared with; a Debian package that is not there is said to be missing."""
        names = [requirement.partition(">")[0] for requirement in REQUIREMENTS]
        program = (
            "import sys; from importlib.metadata import version as v\n"
            "print(*(f'{name} {v(name)}' for name in sys.argv[1:]), sep=', ')"
        )
        python = str(self.programs / "python")
        words = [python, "-c", program, *names]
        found = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
        debian = ("openssh-client", "openssh-server", "monitoring-plugins-basic", "prometheus-node-exporter")
        return ", ".join((found, *map(_debian, debian)))

    def bare(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        return self._client("paramiko", count, at_once, known_hosts, sys.executable)

    def asyncssh(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        return self._client("asyncssh", count, at_once, known_hosts)

    def parallel_ssh(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        return self._client("parallel_ssh", count, at_once, known_hosts)

    def parallel_probe(self, count: int, *, at_once: int = AT_ONCE) -> Cost:
        """The same running the probe from a file over there: it gathers and seals numbers, nobody opens the answer."""
        payload = build(NUMBERS)
        request = Request.fresh("h1", "local", Before(), payload, 10.0)
        sent = self.fleet.folder / "probe"
        body = request.body.replace(b'"window":0.5', b'"window":0')
        sent.write_bytes(payload.data + b"%d\n" % len(body) + body)
        return self._client("parallel_ssh", count, at_once, None, REMOTE=f"{probe_command('/usr/bin/python3')} <{sent}")

    def mitogen(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        return self._client("mitogen", count, at_once, known_hosts)

    def openssh(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        """`ssh HOST true`, started by xargs(1)."""
        ssh = ["ssh", "-F", "none", *self._options(known_hosts), "-p", str(self.fleet.sshd.port), "{}", "true"]
        return self._each(ssh, count, at_once)

    def check_by_ssh(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        """The plugin as Nagios and Icinga start it: one process per check."""
        sshd = self.fleet.sshd
        login = ["-F", "none", "-i", str(sshd.client_key), "-l", sshd.user, "-p", str(sshd.port), "-t", "60"]
        return self._each(
            [str(CHECK_BY_SSH), "-q", *login, *self._options(known_hosts), "-H", "{}", "-C", "true"], count, at_once
        )

    def ansible(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        sshd = self.fleet.sshd
        arguments = "-F none " + " ".join(self._options(known_hosts)) + " -o ControlMaster=no -o ControlPath=none"
        inventory = self.fleet.folder / f"inventory{count}.ini"
        inventory.write_text(
            "[all:vars]\nansible_python_interpreter=/usr/bin/python3\nansible_pipelining=true\n"
            f"ansible_ssh_args={arguments}\n[all]\n"
            + "".join(
                f"h{number} ansible_host={address(number)} ansible_port={sshd.port} ansible_user={sshd.user} "
                f"ansible_ssh_private_key_file={sshd.client_key}\n"
                for number in range(count)
            )
        )
        return self._cost(
            [str(self.programs / "ansible"), "all", "-i", str(inventory), "-m", "setup", "-f", str(at_once)], count
        )

    def pyinfra(self, count: int, *, at_once: int = AT_ONCE, known_hosts: Path | None = None) -> Cost:
        sshd = self.fleet.sshd
        data: Mapping[str, object] = {
            "ssh_port": sshd.port,
            "ssh_user": sshd.user,
            "ssh_key": str(sshd.client_key),
            "ssh_known_hosts_file": str(known_hosts or sshd.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
        }
        inventory = self.fleet.folder / f"inventory{count}.py"
        hosts = [(f"h{number}", {**data, "ssh_hostname": address(number)}) for number in range(count)]
        inventory.write_text(f"hosts = {hosts!r}\n")
        pyinfra = [str(self.programs / "pyinfra"), "-y", "--parallel", str(at_once)]
        return self._cost([*pyinfra, str(inventory), "exec", "--", "uptime"], count)

    def prove(self, *runs: Callable[..., Cost]) -> None:
        """Each of them logs in where the host key is known (or `_cost` raises) and nowhere else."""
        for run in runs:
            run(1)
            before = self.fleet.logins()
            try:
                run(1, known_hosts=self.fleet.strange_hosts)
            except RuntimeError:
                if self.fleet.logins() == before:
                    continue
            raise RuntimeError(f"{run.__name__} does not check host keys")

    def _options(self, known_hosts: Path | None) -> list[str]:
        """For OpenSSH's client: our key, our known_hosts."""
        sshd = self.fleet.sshd
        said = (
            f"UserKnownHostsFile={known_hosts or sshd.known_hosts}",
            "GlobalKnownHostsFile=none",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
            f"IdentityFile={sshd.client_key}",
            f"User={sshd.user}",
            "BatchMode=yes",
        )
        return [word for one in said for word in ("-o", one)]

    def _client(
        self, name: str, count: int, at_once: int, known_hosts: Path | None, python: str = "", **environ: str
    ) -> Cost:
        """A script of benchmarks/clients; `python`: not the peers'."""
        sshd = self.fleet.sshd
        words = [at_once, sshd.port, sshd.user, sshd.client_key, known_hosts or sshd.known_hosts]
        script = ROOT / "benchmarks" / "clients" / f"with_{name}.py"
        start = [python or str(self.programs / "python"), str(script), *map(str, words)]
        return self._cost([*start, *map(address, range(count))], count, b"", **environ)

    def _each(self, command: list[str], count: int, at_once: int) -> Cost:
        """A command per host, {} standing for its address."""
        addresses = "".join(f"{address(number)}\n" for number in range(count))
        return self._cost(["xargs", "-P", str(at_once), "-I{}", *command], count, addresses.encode())

    def _cost(self, command: list[str], count: int, stdin: bytes = b"", **environ: str) -> Cost:
        before = self.fleet.logins()
        environment = self.fleet.environment() | {"ANSIBLE_HOME": str(self.fleet.folder), **environ}
        spent = cost(command, folder=self.fleet.folder, environment=environment, stdin=stdin)
        if self.fleet.logins() - before < count:
            raise RuntimeError(f"{command[0]} reached only {self.fleet.logins() - before} of {count} hosts")
        return spent


def _debian(package: str) -> str:
    """Name and version of an installed package."""
    if shutil.which("dpkg-query") is None:
        return f"{package} unknown"
    asked = ["dpkg-query", "--show", "--showformat=${Version}", package]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return f"{package} {found.stdout if found.returncode == 0 else 'not installed'}"
