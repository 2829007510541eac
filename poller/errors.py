"""One tree of errors, and the one table of poll outcomes.

Every error carries a `code` for machines, a `sentence` for people and a `hint` that says what to do.
Only `poller.cli` turns one into an exit status. A fault of a monitored host is a `HostError`: it ends that
host's poll as data (stage, code) and never ends a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a (stage, code) pair means. `security` marks what is recorded as a security event."""

    sentence: str
    hint: str
    security: bool = False


# In the order in which a poll over SSH passes them. A host that is only pinged passes `dns` and `ping`.
STAGES: Final = (
    "dns",
    "connect",
    "handshake",
    "hostkey",
    "auth",
    "session",
    "python",
    "probe",
    "envelope",
    "report",
    "ping",
)

_CLOCK = "raise deadline= for this host, or look at the machine and the network between"
_UPDATE = "this is a fault of the poller or a meddled report: rerun with -vv and report it"

# The order is the order of docs/troubleshooting.md, which has one anchor per entry: `stage-code`. A poll that was
# skipped has its row here too: at the stage that it did not begin.
OUTCOMES: Final[dict[tuple[str, str], Outcome]] = {
    ("dns", "unknown"): Outcome(
        "the name does not resolve to an address",
        "check address= in config.xml and the resolver of the poller's machine",
    ),
    ("dns", "timeout"): Outcome("the resolver did not answer in time", "check /etc/resolv.conf, or use an IP address"),
    ("connect", "refused"): Outcome("nothing listens on that port", "check that sshd runs there, and port="),
    ("connect", "unreachable"): Outcome("no route to the host", "check the address, the network and any firewall"),
    ("connect", "timeout"): Outcome("the host did not answer the connection", _CLOCK),
    ("connect", "reset"): Outcome(
        "the connection was closed by the other side", "look at sshd's log, MaxStartups and PerSourcePenalties"
    ),
    ("connect", "jump"): Outcome("the jump host could not be used", "poll the jump host by itself: `poller doctor`"),
    ("connect", "busy"): Outcome(
        "another poller is at work on this host, so this poll was skipped",
        "wait for the other one; when it happens often, make interval= longer than a poll takes",
    ),
    ("connect", "resources"): Outcome(
        "the poller ran out of files, threads or memory, so this poll was skipped",
        "raise its limits (`ulimit -n`, `-u`, `-v`), or lower at-once=",
    ),
    ("connect", "config"): Outcome("ssh_config asks for something that cannot be done", "change ssh_config there"),
    ("handshake", "timeout"): Outcome("the host accepts connections but its SSH server does not speak", _CLOCK),
    ("handshake", "protocol"): Outcome("what answered is not a usable SSH server", "check port=, and sshd's version"),
    ("handshake", "closed"): Outcome(
        "the SSH server closed the connection before the login",
        "look at sshd's log, MaxStartups and PerSourcePenalties",
    ),
    ("handshake", "algorithms"): Outcome(
        "poller and host share no key exchange, cipher or host key algorithm",
        "update the host's SSH server; SHA-1 is not supported",
    ),
    ("handshake", "oversize"): Outcome(
        "the SSH server sent more than any handshake needs", "check what answers there", True
    ),
    ("hostkey", "unknown"): Outcome(
        "the host key is not known", "compare fingerprints and accept it: `poller trust HOST`"
    ),
    ("hostkey", "changed"): Outcome(
        "the host key is not the one on record; nothing was sent",
        "find out why; if it is right: `poller trust --replace HOST`",
        True,
    ),
    ("hostkey", "revoked"): Outcome("the host key is marked as revoked", "give the host a new key", True),
    ("hostkey", "certificate"): Outcome(
        "the host certificate does not prove which host this is; nothing was sent",
        "renew the certificate, or correct the @cert-authority line in known_hosts",
        True,
    ),
    ("hostkey", "file"): Outcome(
        "known_hosts cannot be used", "correct its owner and mode: nobody else may write it (`chmod 600`)"
    ),
    ("hostkey", "timeout"): Outcome("the host key was not shown in time", _CLOCK),
    ("auth", "denied"): Outcome("the login was refused", "check user= and the key: `poller enroll HOST` installs it"),
    ("auth", "key"): Outcome("the private key cannot be used", "check identity-file=, its mode and its passphrase"),
    ("auth", "method"): Outcome("the host does not allow this way to log in", "allow public keys in sshd_config there"),
    ("auth", "backoff"): Outcome(
        "the login was refused before, so this poll was skipped",
        "correct the key or the account there: `poller enroll HOST`; `poller run --now --host HOST` tries at once",
    ),
    ("auth", "closed"): Outcome("the SSH server closed the connection during the login", "look at sshd's log there"),
    ("auth", "nologin"): Outcome(
        "the key is right, but the machine lets nobody in but root for now",
        "wait: it boots, or goes down; if it does neither, look for /run/nologin and /etc/nologin there",
    ),
    ("auth", "timeout"): Outcome("the login was not answered in time", _CLOCK),
    ("session", "refused"): Outcome(
        "the login works but no command may run", "check ForceCommand and MaxSessions there"
    ),
    ("session", "timeout"): Outcome("the host did not start the command in time", _CLOCK),
    ("session", "shell"): Outcome("the login shell does not run commands", "give the account a normal shell"),
    ("session", "windows"): Outcome(
        "this is Windows, which the poller does not watch",
        "take the host out of config.xml, or let sshd start a shell of WSL to watch the Linux in it",
    ),
    ("session", "closed"): Outcome("the connection broke before the command ran", "look at sshd's log on the host"),
    ("python", "missing"): Outcome("there is no such Python interpreter", "install python3 there, or set python="),
    ("python", "version"): Outcome("the interpreter is older than Python 3.6", "install a newer one, or set python="),
    ("python", "broken"): Outcome("the interpreter does not start properly", "run it by hand on the host"),
    ("python", "sudo"): Outcome("sudo refused to start python3", "see sudoers in docs/security.md"),
    ("probe", "timeout"): Outcome("the probe did not finish in time", _CLOCK),
    ("probe", "crash"): Outcome("the probe ended with an error", "rerun with -vv and report it"),
    ("probe", "closed"): Outcome("the connection broke while the probe ran", "look at the network and sshd's log"),
    ("probe", "silent"): Outcome("the probe ended without an answer", "run `poller doctor HOST`"),
    ("probe", "noise"): Outcome(
        "the host wrote too much before the report", "look at the login scripts of the account", True
    ),
    ("probe", "oversize"): Outcome(
        "the host sent more than a report may hold", "look at the host: it may be hostile", True
    ),
    ("envelope", "truncated"): Outcome("the sealed report is cut short", _UPDATE, True),
    ("envelope", "oversize"): Outcome("the sealed report is larger than allowed", _UPDATE, True),
    ("envelope", "version"): Outcome("the sealed report has another version", _UPDATE, True),
    ("envelope", "replay"): Outcome("the sealed report answers another request", _UPDATE, True),
    ("envelope", "key"): Outcome("the sealed report's public key is not acceptable", _UPDATE, True),
    ("envelope", "tag"): Outcome("the sealed report is not authentic", _UPDATE, True),
    ("envelope", "inflate"): Outcome("the sealed report does not decompress within bounds", _UPDATE, True),
    ("report", "xml"): Outcome("the report is not acceptable XML", _UPDATE, True),
    ("report", "schema"): Outcome("the report does not follow its schema", _UPDATE, True),
    ("report", "internal"): Outcome("the poller itself failed over this host", "rerun with -vv and report it"),
    ("report", "identity"): Outcome("the report names another host or probe", _UPDATE, True),
    ("ping", "timeout"): Outcome("the host does not answer ping", "look at the machine and the network between"),
    ("ping", "unreachable"): Outcome(
        "no ping comes as far as the host", "check the address, the network and any firewall"
    ),
    ("ping", "denied"): Outcome(
        "the poller may not send pings, so this poll was skipped",
        "allow its group to: sysctl net.ipv4.ping_group_range, or give it CAP_NET_RAW",
    ),
}


# Codes of StoreError, of the journal or of the archive. Each has an entry `store-code` on the same page.
STORE_CODES: Final = (
    "absent",
    "older",
    "newer",
    "edited",
    "schema",
    "full",
    "readonly",
    "open",
    "mode",
    "link",
    "file",
    "foreign",
    "locked",
    "corrupt",
    "io",
    "away",
    "denied",
    "busy",
    "data",
    "store",
)

_PAGE: Final = "docs/troubleshooting.md"


def read_on(hint: str, anchor: str) -> str:
    """The hint with the place where more is written. `poller explain` takes that place, so no checkout is needed."""
    place = f"({_PAGE}#{anchor})"
    return hint if _PAGE in hint else f"{hint} {place}".lstrip()


class PollerError(Exception):
    """The root. `str()` is the sentence; the hint is shown on a line of its own."""

    code: str = "error"

    def __init__(self, sentence: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        if code:
            self.code = code


class HostError(PollerError):
    """Ends the poll of one host: `stage` and `code` are a row of OUTCOMES, `detail` says what exactly was seen.

    `detail` may hold foreign text: escape it for the place where it is shown. It never holds a secret. `addresses` are
    those that were tried, none behind a jump host.
    """

    addresses: tuple[str, ...] = ()

    def __init__(self, stage: str, code: str, detail: str = "") -> None:
        outcome = OUTCOMES[stage, code]
        sentence = f"{outcome.sentence}: {detail}" if detail else outcome.sentence
        super().__init__(sentence, read_on(outcome.hint, f"{stage}-{code}"), code=code)
        self.stage = stage
        self.detail = detail
        self.security = outcome.security


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with a configuration. `line` is 1-based, 0 when the whole file is meant; so is `column`.

    `excerpt`, if any, is the text in question and below it `^~~~` under the place.
    """

    file: str
    line: int
    sentence: str
    hint: str = ""
    column: int = 0
    excerpt: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.sentence}"


class ConfigError(PollerError):
    """Everything that is wrong with the configuration, at once. Exit 2."""

    code = "config"

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes), "`poller check-config` shows all of them")
        self.mistakes = mistakes


class UsageError(PollerError):
    """The command cannot be carried out as typed: no host matches, a file would be overwritten. Exit 2."""

    code = "usage"


class StoreError(PollerError):
    """Journal or archive cannot be read or written. Exit 74. Never becomes the state of a host."""

    code = "store"

    def __init__(self, sentence: str, hint: str = "", *, code: str = "") -> None:
        known = (code or self.code) in STORE_CODES
        super().__init__(sentence, read_on(hint, f"store-{code or self.code}") if known else hint, code=code)


class BusyError(PollerError):
    """Another poller holds the round lock or the host's lease. Exit 75."""

    code = "busy"


class DeliveryError(PollerError):
    """A notification could not be delivered. `retry` says whether trying again can help."""

    code = "delivery"

    def __init__(self, sentence: str, hint: str = "", *, retry: bool, code: str = "") -> None:
        super().__init__(sentence, hint, code=code)
        self.retry = retry
