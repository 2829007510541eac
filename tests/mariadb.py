"""A real MariaDB for tests: `mariadb` is one server per test process, `database` a fresh database in it.

    def test_something(database):             # made by our own grant script, without tables yet
        connect(database.migrator)            # three users: the migrator makes tables, the writer only fills them,
        connect(database.writer)              # the reader reads; each an ArchiveSettings
        database.sql("SHOW TABLES")           # as root, by the `mariadb` shell

    def test_more(archive_settings):          # the writer of such a database, with the schema in it

    def test_faults(make_mariadb):            # a server of the test's own, to be stopped and killed
        server = make_mariadb()
        server.pause(), server.resume(), server.kill(), server.start()   # the same port and data each time

It listens on 127.0.0.1 and a socket in a temporary folder, with a certificate for `localhost` by its own CA (`ca`).
Nothing of the machine's MariaDB is read or touched, and the kernel ends it should the test process die.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import functools
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from poller.model import ArchiveSettings, Secret
from tests.end_to_end.sshd import free_port
from tests.stopped import stop

MARIADBD: Final = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", ""))
_START_SECONDS: Final = 60.0
# Small and quick. What was committed survives a kill -9 of the server, not a power cut: tests cut no power.
_OPTIONS: Final = (
    "--innodb-buffer-pool-size=24M",
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--debug-no-sync",
    "--innodb-use-native-aio=0",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=2M",
    "--performance-schema=OFF",
    "--max-connections=60",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
)


def require_mariadb() -> None:
    """Skips a test by name where MariaDB is not installed."""
    if not (MARIADBD and shutil.which("mariadb-install-db") and shutil.which("mariadb")):
        pytest.skip("MariaDB's server and client are not installed: `make system-packages`")


def _common(folder: Path) -> list[str]:
    """As root it keeps being root, for pytest's folders let nobody else in."""
    user = ["--user=root"] if os.geteuid() == 0 else []
    return [f"--datadir={folder / 'data'}", f"--tmpdir={folder}", *user]


@functools.cache
def _installed() -> Path:
    """The data of a server that was never started, made once for all servers of this process; gone with it."""
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    install = ["mariadb-install-db", "--no-defaults", *_common(folder), "--skip-test-db", *_OPTIONS,
               "--auth-root-authentication-method=normal"]  # fmt: skip
    subprocess.run(install, check=True, stdin=subprocess.DEVNULL, capture_output=True, cwd=folder)
    return folder / "data"


class MariaDb:
    """One server. Its data stay in `folder` until `remove()`; the port stays the same over every restart."""

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.options = options
        self.socket = folder / "sock"
        self.log_file = folder / "error.log"
        self.port = 0
        self.ca = certificates(folder)
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copytree(_installed(), folder / "data")

    # The server

    def start(self) -> None:
        """Returns when it answers. A port that somebody took before the first start is exchanged for another."""
        fresh = self.port == 0
        for _ in range(5):
            self.port = free_port() if fresh else self.port
            with self.log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
                )
            if self._answers():
                return
            self.kill()
        raise RuntimeError(f"mariadbd does not start: {self.log()}")

    def _command(self) -> list[str]:
        assert MARIADBD
        leash = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        return [*leash, MARIADBD, "--no-defaults", *_common(self.folder), *_OPTIONS,
                f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.socket}",
                f"--pid-file={self.folder / 'pid'}", f"--log-error={self.log_file}",
                f"--ssl-ca={self.ca}", f"--ssl-cert={self.folder / 'server.pem'}",
                f"--ssl-key={self.folder / 'server.key'}", *self.options]  # fmt: skip

    def _answers(self) -> bool:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process and self._process.poll() is None:
            if self._client("SELECT 1", "").returncode == 0:
                return True
            time.sleep(0.05)
        return False

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """An orderly shutdown: clients that are connected are told."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """As `kill -9`. `start()` recovers and goes on with what was committed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None

    def pause(self) -> None:
        """It keeps every connection and answers nobody, as behind a network that drops all packets."""
        stop(self.pid)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def remove(self) -> None:
        """Ends it and leaves nothing behind."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    # Its clients

    def sql(self, text: str, database: str = "") -> str:
        """Runs statements as root by the `mariadb` shell; returns what it prints (tabs, no column names)."""
        done = self._client(text, database)
        if done.returncode != 0:
            raise AssertionError(f"{text[:200]}: {done.stderr}")
        return done.stdout

    def _client(self, text: str, database: str) -> subprocess.CompletedProcess[str]:
        command = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "--batch", "--skip-column-names",
                   "--user=root", f"--socket={self.socket}", *([database] if database else [])]  # fmt: skip
        return subprocess.run(command, input=text, capture_output=True, encoding="utf-8")

    def settings(self, user: str = "root", database: str = "", password: Secret | None = None) -> ArchiveSettings:
        """For a user of this server: TCP, TLS and identity verified."""
        return ArchiveSettings(
            "mysql", host="localhost", port=self.port, user=user, database=database, password=password,
            tls="verify", ca=self.ca, timeout=20.0,
        )  # fmt: skip

    def wait_for(self, query: str, wanted: str, seconds: float = 15.0) -> None:
        """Until a query (as root) prints `wanted`."""
        until = time.monotonic() + seconds
        while (found := self.sql(query).strip()) != wanted:
            if time.monotonic() > until:
                raise AssertionError(f"{query}: {found!r}, not {wanted!r}")
            time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Database:
    """A database and its three users, made by the script that `poller db init --print` prints."""

    server: MariaDb
    name: str
    writer: ArchiveSettings
    migrator: ArchiveSettings
    reader: ArchiveSettings

    def sql(self, text: str) -> str:
        """As root, in this database."""
        return self.server.sql(text, self.name)

    def upgrade(self) -> None:
        """Makes the tables and views, as the migrator."""
        from poller.store.mysql import connect
        from poller.store.mysql.migrate import upgrade

        with connect(self.migrator) as connection:
            upgrade(connection, 1_760_000_000_000)


_numbers = itertools.count(1)


def make_database(server: MariaDb, *, schema: bool = True) -> Database:
    """A fresh database; `remove_database()` takes it away again (so does `server.remove()`)."""
    from poller.store.mysql.script import init_script

    number = next(_numbers)
    name = f"poller_{os.getpid()}_{number}"
    writer = server.settings(f"p{number}", name)
    users = {"writer": f"p{number}", "migrator": f"p{number}_migrator", "reader": f"p{number}_reader"}
    secrets = {}
    script = init_script(writer)
    for role, user in users.items():
        file = server.folder / f"{name}.{role}.pass"
        file.touch(0o600)
        file.write_text(f"pass'word\\{role}\n")
        secrets[role] = replace(writer, user=user, password=Secret("file", str(file)))
        script = script.replace(f"<{role}-password>", f"'pass\\'word\\\\{role}'")
    server.sql(script)
    made = Database(server, name, **secrets)
    if schema:
        made.upgrade()
    return made


def remove_database(made: Database) -> None:
    users = (made.writer, made.migrator, made.reader)
    made.server.sql(f"DROP DATABASE IF EXISTS `{made.name}`; " + "; ".join(f"DROP USER `{one.user}`" for one in users))


@contextlib.contextmanager
def running(options: tuple[str, ...] = (), base: Path | None = None) -> Iterator[MariaDb]:
    """A server in a folder of its own, in `base` when a socket's path there has no more than its 107 bytes."""
    place = base if base is not None and len(bytes(base)) < 80 else None
    with tempfile.TemporaryDirectory(prefix="mariadb-", dir=place, ignore_cleanup_errors=True) as folder:
        server = MariaDb(Path(folder), options)
        try:
            server.start()
            yield server
        finally:
            server.remove()


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """One server for all tests of this process. Who stops it starts it again; better is `make_mariadb`."""
    require_mariadb()
    with running(base=tmp_path_factory.getbasetemp()) as server:
        yield server


@pytest.fixture
def make_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., MariaDb]]:
    """Servers of the test's own, with options of mariadbd."""
    require_mariadb()
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(running(options, tmp_path_factory.getbasetemp()))


@pytest.fixture
def empty_database(mariadb: MariaDb) -> Iterator[Database]:
    """Users and database, no tables."""
    made = make_database(mariadb, schema=False)
    yield made
    remove_database(made)


@pytest.fixture
def database(mariadb: MariaDb) -> Iterator[Database]:
    """Users, database, tables and views."""
    made = make_database(mariadb)
    yield made
    remove_database(made)


@pytest.fixture
def archive_settings(database: Database) -> ArchiveSettings:
    """The writer's way into a database that is ready."""
    return database.writer


@functools.cache
def _authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = _builder(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = made.add_extension(usage, critical=True).add_extension(identifier, critical=False)
    return key, made.sign(key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )


def certificate_authority(path: Path, name: str = "poller tests") -> Path:
    """Writes the certificate of a CA; the same name is the same CA in one test process."""
    path.write_bytes(_authority(name)[1].public_bytes(serialization.Encoding.PEM))
    return path


def certificates(folder: Path) -> Path:
    """server.pem and server.key for `localhost` (no address), and the CA that vouches for them, which is returned."""
    authority_key, authority = _authority("poller tests")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _builder(subject, authority.subject, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "server.key").touch(0o600)
    (folder / "server.key").write_bytes(pem)
    return certificate_authority(folder / "ca.pem")
