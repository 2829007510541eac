"""The commands that the poller is compared with: bare paramiko, Ansible and pyinfra, each at the same hosts.

What makes the comparison fair:
- everybody connects anew to every host, logs in with the same key and must know the host's key: ControlMaster is off
  for Ansible, StrictHostKeyChecking is on for all (`prove` shows that a wrong host key is refused);
- everybody works on five hosts at the same time;
- Ansible pipelines and has its interpreter named, so it neither copies files nor looks for a Python; `setup` gathers
  about what the probe gathers. `pyinfra exec -- uptime` and bare paramiko's `true` gather nothing: they are the floor;
- children count: Ansible's workers and the ssh processes they start are part of what it costs.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import AT_ONCE, Fleet
from benchmarks.measure import cost

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv-bench"
REQUIREMENTS = ("ansible-core>=2.17", "pyinfra>=3.2")


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
    fleet: Fleet
    programs: Path

    def versions(self) -> str:
        program = (
            "from importlib.metadata import version as v\n"
            "print(*(f'{name} {v(name)}' for name in ('ansible-core', 'pyinfra', 'paramiko')), sep=', ')"
        )
        python = str(self.programs / "python")
        return subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()

    def bare(self, count: int, known_hosts: Path | None = None) -> float:
        """Seconds of CPU for so many hosts; RuntimeError when it did not reach each of them."""
        sshd = self.fleet.sshd
        words = [count, AT_ONCE, sshd.port, sshd.user, sshd.client_key, known_hosts or sshd.known_hosts]
        return self._cpu([sys.executable, str(ROOT / "benchmarks" / "bare.py"), *map(str, words)], count)

    def ansible(self, count: int, known_hosts: Path | None = None) -> float:
        sshd = self.fleet.sshd
        arguments = (
            f"-F none -o UserKnownHostsFile={known_hosts or sshd.known_hosts} -o GlobalKnownHostsFile=none "
            "-o StrictHostKeyChecking=yes -o ControlMaster=no -o ControlPath=none"
        )
        inventory = self.fleet.folder / f"inventory{count}.ini"
        inventory.write_text(
            "[all:vars]\nansible_python_interpreter=/usr/bin/python3\nansible_pipelining=true\n"
            f"ansible_ssh_args={arguments}\n[all]\n"
            + "".join(
                f"h{number} ansible_host=127.0.0.1 ansible_port={sshd.port} ansible_user={sshd.user} "
                f"ansible_ssh_private_key_file={sshd.client_key}\n"
                for number in range(count)
            )
        )
        return self._cpu(
            [str(self.programs / "ansible"), "all", "-i", str(inventory), "-m", "setup", "-f", str(AT_ONCE)], count
        )

    def pyinfra(self, count: int, known_hosts: Path | None = None) -> float:
        sshd = self.fleet.sshd
        data = {
            "ssh_hostname": "127.0.0.1",
            "ssh_port": sshd.port,
            "ssh_user": sshd.user,
            "ssh_key": str(sshd.client_key),
            "ssh_known_hosts_file": str(known_hosts or sshd.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
        }
        inventory = self.fleet.folder / f"inventory{count}.py"
        inventory.write_text(f"hosts = {[(f'h{number}', data) for number in range(count)]!r}\n")
        pyinfra = [str(self.programs / "pyinfra"), "-y", "--parallel", str(AT_ONCE)]
        return self._cpu([*pyinfra, str(inventory), "exec", "--", "uptime"], count)

    def prove(self) -> None:
        """Each of them logs in where the host key is known (or `_cpu` raises) and nowhere else."""
        for run in (self.bare, self.ansible, self.pyinfra):
            run(1)
            before = self.fleet.logins()
            try:
                run(1, self.fleet.strange_hosts)
            except RuntimeError:
                if self.fleet.logins() == before:
                    continue
            raise RuntimeError(f"{run.__name__} does not check host keys")

    def _cpu(self, command: list[str], count: int) -> float:
        before = self.fleet.logins()
        environment = self.fleet.environment() | {"ANSIBLE_HOME": str(self.fleet.folder)}
        spent = cost(command, folder=self.fleet.folder, environment=environment).cpu
        if self.fleet.logins() - before < count:
            raise RuntimeError(f"{command[0]} reached only {self.fleet.logins() - before} of {count} hosts")
        return spent
