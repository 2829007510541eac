"""`<mail>`, `<channel>` and `<heartbeat>`: the ways by which the poller speaks to people and to who watches it."""

from __future__ import annotations

from typing import Final, Literal

from poller.config.mistakes import Mistakes
from poller.config.structure import Node
from poller.model import ChannelSettings, Heartbeat, MailServer, Secret

# The name under which a contact's channels= has the mail server.
MAIL: Final = "mail"
_PORTS: Final = {"none": 25, "starttls": 587, "tls": 465}
_Way = Literal["apprise", "webhook", "command"]
_KINDS: Final[dict[str, _Way]] = {
    "url-file": "apprise",
    "url-env": "apprise",
    "webhook": "webhook",
    "webhook-file": "webhook",
    "webhook-env": "webhook",
    "command": "command",
}


def mail(root: Node, mistakes: Mistakes) -> MailServer | None:
    """The mail server; what does not go together is noted."""
    node = root.one("mail")
    if node is None:
        return None
    security = node.value("security", "starttls")
    password = _secret(node, "password")
    user = node.value("user")
    if password and "user" not in node.named:
        mistakes.add(node.line, "<mail> has a password but no user=")
    if user and not {"password-file", "password-env"} & node.named:
        mistakes.add(node.line_of("user"), "<mail> has user= but neither password-file= nor password-env=")
    if password and security == "none":
        mistakes.add(
            node.line_of("security"),
            'security="none" would send the password in clear text',
            'use security="starttls" or "tls", or leave user= and the password out',
        )
    return MailServer(
        server=node.value("server", ""),
        port=node.value("port", _PORTS[security]),
        sender=node.value("from", ""),
        security=security,
        user=user,
        password=password,
        ca_file=node.value("ca-file"),
        timeout=node.value("timeout", 15.0),
        quota=node.value("quota", 0),
    )


def channels(root: Node, mistakes: Mistakes) -> tuple[ChannelSettings, ...]:
    """Every <channel> that is named and has one way."""
    found: dict[str, ChannelSettings] = {}
    lines: dict[str, int] = {}
    for node in root.each("channel"):
        name = node.value("name")
        if name == MAIL:
            mistakes.add(node.line_of("name"), f'a channel cannot be called "{MAIL}", which means the server of <mail>')
        if name in lines:
            mistakes.add(node.line_of("name"), f'channel "{name}" stands twice; the first is in line {lines[name]}')
        elif name is not None:
            lines[name] = node.line_of("name")
            found.update({name: _channel(node, name, mistakes)})
    return tuple(found.values())


def _channel(node: Node, name: str, mistakes: Mistakes) -> ChannelSettings:
    kinds = [kind for way, kind in _KINDS.items() if way in node.named]
    kind: _Way = kinds[0] if kinds else "command"
    for secret in ("secret-file", "secret-env"):
        if secret in node.named and kind != "webhook":
            mistakes.add(node.line_of(secret), f"{secret}= signs what a webhook gets; this channel is none")
    return ChannelSettings(
        name=name,
        kind=kind,
        url=_secret(node, "url") or _secret(node, "webhook"),
        address=node.value("webhook", ""),
        secret=_secret(node, "secret"),
        command=node.value("command", ()),
        timeout=node.value("timeout", 15.0),
        quota=node.value("quota", 0),
        where=mistakes.where(node.line),
    )


def heartbeat(root: Node) -> Heartbeat | None:
    """Where a watcher of the poller is told of rounds."""
    node = root.one("heartbeat")
    if node is None:
        return None
    return Heartbeat(node.value("url", ""), _secret(node, "url"), node.value("timeout", 10.0))


def _secret(node: Node, name: str) -> Secret | None:
    found: Secret | None = node.value(f"{name}-file") or node.value(f"{name}-env")
    return found
