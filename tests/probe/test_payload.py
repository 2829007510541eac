"""What is sent to a host, and what it does there. The probe runs for real, under every interpreter at hand."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import remote_probe
from poller.model import Before, Pressure, SectionStatus, Watch
from poller.probe.payload import LOADER, SECTIONS, Payload, build, command, sources
from poller.probe.wanted import due
from remote_probe.seal import seal
from tests.remote_probe.farside import INTERPRETERS, asking, running, with_collector

FOLDER = Path(remote_probe.__file__).parent
MACHINES = Path(__file__).parent.parent / "data" / "machines"
CORE = {path.stem for path in FOLDER.glob("*.py")} - {"__main__", "loader"} | {"collectors/__init__", "reach/__init__"}
# The sections of every machine that runs Linux, as they were from the beginning.
BASIC = ("system", "cpu", "memory", "load", "filesystem", "block", "network", "processes", "pressure")
SHELLS = [path for path in map(shutil.which, ("sh", "dash", "bash", "fish", "tcsh", "zsh")) if path]


def modules(payload: Payload) -> set[str]:
    return {name.removeprefix("remote_probe/").removesuffix(".py") for name in payload.modules}


# What is sent


def test_the_command_is_frozen() -> None:
    assert command() == "exec python3 -IS -c 'import sys;f=sys.stdin.buffer;exec(f.read(int(f.readline())))'"


def test_the_command_takes_another_interpreter_and_sudo() -> None:
    assert command("/usr/libexec/platform-python").startswith("exec /usr/libexec/platform-python -IS -c ")
    assert command("/opt/my python", "sudo").startswith("exec sudo -n '/opt/my python' -IS -c ")


def test_no_shell_finds_anything_to_expand_in_the_command() -> None:
    quoted = command().split("'")[1]
    assert not set(quoted) & set("\n\\'!$*?[`")


def test_every_module_travels_except_those_for_people() -> None:
    files = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.py")}
    assert modules(build(elsewhere=True, watch=True)) == files - {"__main__"}
    watching = {name for name in files if name.startswith("watching/")}
    assert modules(build()) == files - watching - {"__main__", "collectors/elsewhere"}
    assert {f"collectors/{name}" for name in SECTIONS} <= modules(build())


def test_only_the_collectors_asked_for_travel_each_with_its_own_modules() -> None:
    payload = build(["load", "cpu"])
    assert payload.sections == ("cpu", "load")
    assert modules(payload) == CORE | {"loader", "collectors/cpu", "collectors/load"}
    assert modules(build(["logs"])) - CORE - {"loader"} == {
        name for name in modules(build()) if name.startswith(("collectors/logs", "reach/logs"))
    }


def test_the_collector_for_hosts_without_proc_travels_on_demand() -> None:
    assert modules(build(["load"], elsewhere=True)) - modules(build(["load"])) == {"collectors/elsewhere"}


def test_a_section_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="cup"):
        build(["cup"])


def test_the_same_source_gives_the_same_bytes_in_every_process() -> None:
    code = "from poller.probe.payload import build; print(build().data.hex())"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
        assert bytes.fromhex(done.stdout.decode()) == build().data


def test_the_payload_is_a_length_the_loader_and_a_bundle_with_its_digest() -> None:
    payload = build()
    line, rest = payload.data.split(b"\n", 1)
    loader, packed = rest[: int(line)], rest[int(line) :]
    assert loader.decode() == payload.modules[LOADER]
    assert loader.decode().splitlines()[-1] == f"start(f, {len(packed)}, '{payload.digest}')"
    assert zlib.decompress(packed).decode().split("\0")[::2] == [name for name in payload.modules if name != LOADER]


def test_the_payload_stays_within_its_budget() -> None:
    assert len(build().data) <= 60 * 1024
    assert len(build(due(Watch(), Before(), 0), elsewhere=True).data) <= 60 * 1024
    assert len(build(BASIC).data) <= 30_000


def test_threads_that_want_the_same_payload_at_once_get_the_same_one() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({id(payload) for payload in pool.map(lambda _: build(["load", "memory"]), range(8))}) == 1


@pytest.mark.parametrize("name", sorted(set(build(elsewhere=True, watch=True).modules) - {LOADER}))
def test_what_travels_is_the_source_line_by_line_without_its_docstrings(name: str) -> None:
    here, sent = sources()[name].split("\n"), build(elsewhere=True, watch=True).modules[name].split("\n")
    assert len(sent) == len(here)
    assert all(line in ("", there) for line, there in zip(sent, here, strict=True))
    assert ast.dump(ast.parse("\n".join(sent))) == ast.dump(_undocumented(ast.parse("\n".join(here))))


def _undocumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return tree


@pytest.mark.parametrize("name", sorted(sources()))
def test_only_the_standard_library_is_imported(name: str) -> None:
    for node in ast.walk(ast.parse(sources()[name])):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert not node.level
            imported = [node.module or ""]
        for module in imported:
            top = module.split(".")[0]
            here = name.endswith("/elsewhere.py") and top == "psutil"  # where there is no /proc, and it is there
            newer = top == "_sha2"  # the name of _sha256 since 3.12
            assert here or newer or top == "remote_probe" or top in sys.stdlib_module_names, module


def test_the_smallest_python_of_debian_is_enough() -> None:
    """python3-minimal leaves out hmac, queue, shutil, tempfile and more: the probe must not load any of them."""
    minimal = {
        *(
            "_json",
            "_sha2",
            "_sha256",
            "_signal",
            "_socket",
            "_struct",
            "_thread",
            "fnmatch",
            "hashlib",
            "json",
            "os",
            "re",
            "select",
        ),
        *("array", "stat", "sys", "time", "zlib", "_sha2", "_sha256"),
    }
    loaded = set()
    for text in build(watch=True).modules.values():  # psutil, for which there is one more module, needs a whole Python
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                loaded |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                loaded.add(node.module or "")
    outside = {module for module in loaded if not module.startswith("remote_probe")}
    assert outside - {"typing"} <= minimal  # typing is for the type checker only


@pytest.mark.parametrize("name", sorted(sources()))
def test_the_grammar_is_that_of_the_oldest_interpreter(name: str) -> None:
    ast.parse(sources()[name], feature_version=(3, 6))


def test_an_even_older_interpreter_can_parse_the_loader_and_be_told() -> None:
    ast.parse(build().modules[LOADER], feature_version=(3, 4))


def test_vermin_finds_nothing_newer_than_the_oldest_interpreter() -> None:
    vermin = [str(Path(sys.executable).with_name("vermin")), "-t=3.6-", "--no-tips", "--violations", str(FOLDER)]
    done = subprocess.run(vermin, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# What it does there


@pytest.mark.parametrize("python", INTERPRETERS)
def test_it_reports_under_every_interpreter_and_says_nothing_else(tmp_path: Path, python: str) -> None:
    payload = build()
    request = asking(payload)
    with running(tmp_path, python) as probe:
        probe.send(payload.data + request.frame)
        report = probe.report(request)
        assert probe.end() == (0, b"")
    assert probe.noise == b"\n"
    assert [section.name for section in report.now.sections] == list(SECTIONS)
    assert {section.name for section in report.now.sections if section.status is SectionStatus.OK} >= {
        "system", "cpu", "memory", "load", "filesystem", "network", "processes",
    }  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_works_in_every_shell(tmp_path: Path, shell: str) -> None:
    payload = build(["load"])
    request = asking(payload)
    with running(tmp_path, shell=shell) as probe:
        probe.send(payload.data + request.frame)
        assert probe.report(request).now.sections[0].rows
        assert probe.end() == (0, b"")


@pytest.mark.parametrize("name", ["debian-12", "rocky-8"])
def test_the_sealed_report_of_an_ordinary_machine_stays_within_its_budget(name: str) -> None:
    """Captured ones: the machine of the tests has the connections of all other tests."""
    request = asking(build())
    xml = (MACHINES / name / "expected.xml").read_bytes()
    sealed = seal(xml, request.body, request.nonce, request.public, bytes.fromhex(request.probe))
    assert len(xml) > 5_000
    assert len(sealed) <= 6_000


def test_the_sealed_report_of_numbers_stays_small_on_any_machine(tmp_path: Path) -> None:
    payload = build(BASIC)
    request = asking(payload)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        assert len(probe.sealed(request)) <= 6_000


def test_noise_before_the_answer_is_outside_its_frame(tmp_path: Path) -> None:
    payload = build(["load"])
    request = asking(payload)
    with running(tmp_path, wrap=lambda order: f"echo '#not 1 marker'; printf '\\033[1mmotd'; {order}") as probe:
        probe.send(payload.data + request.frame)
        assert probe.report(request).now.sections[0].rows
    assert b"motd" in probe.noise


def test_a_collector_that_prints_does_not_harm_the_answer(tmp_path: Path) -> None:
    payload = with_collector("def read(host):\n    print('hello', flush=True)\n    return []\n")
    request = asking(payload)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        probe.report(request)
    assert b"hello" in probe.noise


def test_a_collector_that_raises_is_a_failed_section_beside_the_others(tmp_path: Path) -> None:
    payload = with_collector("# a comment\ndef read(host):\n    raise RuntimeError('boom \\x01')\n")
    request = asking(payload)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        sections = {section.name: section for section in probe.report(request).now.sections}
        assert probe.end() == (0, b"")
    assert sections["load"].status is SectionStatus.FAILED
    assert sections["load"].reason == r"RuntimeError: boom \x01 (load.py:3)"
    assert sections["memory"].rows


def test_a_collector_that_hangs_does_not_keep_the_answer_back(tmp_path: Path) -> None:
    payload = with_collector("import time\ndef read(host):\n    time.sleep(3600)\n    yield\n", "memory")
    request = asking(payload, deadline=0.5)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        sections = {section.name: section for section in probe.report(request).now.sections}
        assert probe.gone() == (0, b"")  # what hangs cannot be asked again
    assert sections["cpu"].rows
    assert [sections[name].status.value for name in ("memory", "load", "filesystem")] == ["timeout"] * 3


def test_without_time_every_section_says_so(tmp_path: Path) -> None:
    payload = build()
    request = asking(payload, deadline=0.0)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        assert {section.status for section in probe.report(request).now.sections} == {SectionStatus.TIMEOUT}


def test_a_window_gives_two_readings_of_which_the_first_holds_only_counters(tmp_path: Path) -> None:
    payload = build()
    request = asking(payload, window=0.3)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        first, second = probe.report(request).readings
    assert [section.name for section in first.sections] == ["cpu", "memory", "block", "network", "pressure"]
    assert [section.name for section in second.sections] == list(SECTIONS)
    assert 0.25 <= second.uptime - first.uptime <= 5
    assert first.boot_id == second.boot_id
    assert len(first.rows(Pressure)) == len(second.rows(Pressure))


def test_one_session_answers_again_and_again_under_new_keys(tmp_path: Path) -> None:
    payload = build(["load"])
    first, second = asking(payload, idle=5.0), asking(payload, idle=5.0)
    with running(tmp_path) as probe:
        probe.send(payload.data + first.frame)
        one = probe.sealed(first)
        probe.send(second.frame + first.frame)
        two, three = probe.sealed(second), probe.sealed(first)
        assert probe.end() == (0, b"")
    assert len({sealed[26:58] for sealed in (one, two, three)}) == 3


def test_a_request_of_a_section_that_did_not_travel_says_so(tmp_path: Path) -> None:
    payload = build(["load"])
    request = asking(payload, sections=["cpu", "load"])
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        cpu, load = probe.report(request).now.sections
    assert (cpu.status, load.status) == (SectionStatus.FAILED, SectionStatus.OK)
    assert "remote_probe.collectors.cpu" in cpu.reason


# How it fails and ends


@pytest.mark.parametrize("cut", [1, 100, 5_000])
def test_a_bundle_cut_short_is_a_typed_failure(tmp_path: Path, cut: int) -> None:
    with running(tmp_path) as probe:
        probe.send(build().data[:-cut])
        status, stderr = probe.end()
    assert (status, stderr.count(b"\n")) == (70, 1)
    assert stderr.startswith(b"poller-probe: bundle: cut short")


def test_a_bundle_with_another_byte_is_a_typed_failure(tmp_path: Path) -> None:
    for place in (-1, -1_000):
        damaged = bytearray(build().data)
        damaged[place] ^= 1
        with running(tmp_path) as probe:
            probe.send(bytes(damaged))
            status, stderr = probe.end()
        assert (status, stderr.count(b"\n")) == (70, 1)
        assert stderr.startswith(b"poller-probe: bundle: ")


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[]", b'{"version": 2}', b'{"version": 1}', json.dumps({"version": "\n\x1b"}).encode()]
)
def test_what_is_no_request_ends_it_with_one_line(tmp_path: Path, body: bytes) -> None:
    with running(tmp_path) as probe:
        probe.send(build().data + b"%d\n" % len(body) + body)
        status, stderr = probe.gone()
    assert (status, stderr.count(b"\n")) == (70, 1)
    assert stderr.startswith(b"poller-probe: crash: ")
    assert stderr.strip().isascii() and stderr.strip().decode().isprintable()


def test_an_interpreter_that_is_too_old_says_so(tmp_path: Path) -> None:
    older = "import sys;sys.version_info=(3,5,2);f"
    with running(tmp_path, wrap=lambda order: order.replace("import sys;f", older)) as probe:
        probe.send(build().data)
        assert probe.gone() == (70, b"poller-probe: version: Python 3.5 is older than 3.6\n")


@pytest.mark.parametrize("rest", [b"", b"12", b"500\n{"])
def test_the_end_of_its_input_ends_it_in_peace(tmp_path: Path, rest: bytes) -> None:
    with running(tmp_path) as probe:
        probe.send(build().data + rest)
        status, stderr = probe.end()
    assert (status, stderr) == (0, b"")


def test_the_end_of_its_input_ends_it_and_its_children_even_while_they_work(tmp_path: Path) -> None:
    payload = with_collector("def read(host):\n    yield host.run(['sh', '-c', 'sleep 3600 & sleep 3600'], 3600)\n")
    with running(tmp_path) as probe:
        probe.send(payload.data + asking(payload).frame)
        itself = psutil.Process(probe.process.pid)
        until = time.monotonic() + 20
        while len(children := itself.children(recursive=True)) < 3 and time.monotonic() < until:
            os.sched_yield()
        assert len(children) == 3
        assert probe.end() == (0, b"")
        _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_when_nobody_reads_its_answer_it_ends(tmp_path: Path) -> None:
    payload = build(["load"])
    with running(tmp_path) as probe:
        probe.stdout.close()
        probe.send(payload.data + asking(payload).frame)
        assert probe.gone() == (0, b"")


def test_a_probe_that_nobody_talks_to_is_ended_by_the_kernel(tmp_path: Path) -> None:
    payload = build(["load"])
    request = asking(payload, idle=0.4)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        probe.report(request)
        assert probe.gone() == (-signal.SIGALRM, b"")
