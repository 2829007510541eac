"""`poller notify`: who is told by which way, and whether a message gets through."""

from __future__ import annotations

import difflib
import shlex
import threading
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli.selecting import configuration
from poller.cli.settings import Settings, complain, inert, print_json
from poller.errors import DeliveryError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from poller.model import ChannelSettings, Config, Contact, MailServer

_MAIL: Final = "mail"
_DAY_MS: Final = 86_400_000
_SECURITY: Final = {
    "none": "not encrypted",
    "starttls": "STARTTLS, certificate checked",
    "tls": "TLS, certificate checked",
}


def _complete_contact(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    config = configuration(ctx)
    return [one.name for one in config.contacts if one.name.startswith(incomplete)] if config else []


def _complete_channel(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    config = configuration(ctx)
    return [name for name in _names(config) if name.startswith(incomplete)] if config else []


@click.group("notify")
def command() -> None:
    """Look after notifications.

    \b
    Examples:
      poller notify test --to ops      does a message to ops get through?
      poller notify list               who is told by which channel?
    """


@command.command("test", short_help="Send a test message to one contact, now.")
@click.option(
    "--to",
    "recipient",
    required=True,
    metavar="NAME",
    shell_complete=_complete_contact,
    help="A contact's name, or mailto:ADDRESS.",
)
@click.option(
    "--channel",
    metavar="NAME",
    shell_complete=_complete_channel,
    help="mail, or the name of a <channel>. Default: each of the contact's.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def test(settings: Settings, recipient: str, channel: str | None, as_json: bool) -> int:
    """Send a test message to one contact, now, and say what happened.

    Exits 0 when every channel accepted it, 1 when one did not, 2 for mistakes in config.xml or NAME.

    \b
    Examples:
      poller notify test --to ops                  by each channel of ops
      poller notify test --to ops --channel sms    by this one, whether ops has it or not
      poller notify test --to mailto:ops@example.org
    """
    config = settings.config
    contact = _contact(config, recipient)
    tried: list[dict[str, Any]] = []
    for name in (channel,) if channel else contact.channels:
        _check(config, name)
        if not as_json:
            settings.out.print(inert(_place(config, name)), markup=False)
        error = _send(config, name, contact)
        tried.append({"channel": name, **_described(config, name), **_outcome(error)})
        if error is not None and not as_json:
            complain(error)
        elif not as_json:
            whom = contact.mail if name == _MAIL else contact.name
            settings.out.print(inert(f"accepted a test message for {whom}"), markup=False)
    accepted = all(one["accepted"] for one in tried)
    if as_json:
        print_json({"contact": contact.name, "mail": contact.mail, "accepted": accepted, "channels": tried})
    return 0 if accepted else 1


@command.command("list", short_help="Show contacts and channels.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def show(settings: Settings, as_json: bool) -> None:
    """Show who is told by which channels, and how many messages each has taken today (UTC).

    \b
    Examples:
      poller notify list
      poller notify list --json | jq '.channels[].sent_today'
    """
    config = settings.config
    sent = _sent_today(config)
    contacts = [_contact_document(contact) for contact in config.contacts]
    channels = [
        {"channel": name, **_described(config, name), "quota": _quota(config, name), "sent_today": sent.get(name, 0)}
        for name in _names(config)
    ]
    if as_json:
        print_json({"contacts": contacts, "channels": channels})
        return
    for one in contacts:
        limits = [f"only {', '.join(one[key])}" for key in ("severities", "groups") if one[key]]
        limits += ["at some hours"] if one["hours"] else []
        parts = [f"contact {one['contact']}: by {', '.join(one['channels'])}", one["mail"], *limits]
        settings.out.print(inert("; ".join(part for part in parts if part)), markup=False)
    for channel in channels:
        most = f" of {channel['quota']}" if channel["quota"] else ""
        line = (
            f"channel {channel['channel']}: {_place(config, channel['channel'])}; {channel['sent_today']}{most} today"
        )
        settings.out.print(inert(line), markup=False)


def _contact(config: Config, recipient: str) -> Contact:
    contact = config.contact(recipient)
    if contact is not None:
        return contact
    names = [contact.name for contact in config.contacts]
    known = f"contacts are: {', '.join(names)}" if names else 'add <contact name="" mail=""/>, or use mailto:ADDRESS'
    meant = difflib.get_close_matches(recipient, names, n=1)
    hint = f"did you mean {meant[0]}?" if meant else known
    raise UsageError(f"there is no contact {recipient!a} in {config.path}", hint)


def _check(config: Config, name: str) -> None:
    """UsageError when config.xml has no such channel."""
    if name in _names(config):
        return
    if name == _MAIL:
        raise UsageError(f"there is no <mail> in {config.path}", 'add <mail server="" from=""/>: docs/configuration.md')
    meant = difflib.get_close_matches(name, _names(config), n=1)
    hint = f"did you mean {meant[0]}?" if meant else f"channels are: {', '.join(_names(config)) or 'none'}"
    raise UsageError(f"there is no channel {name!a} in {config.path}", hint)


def _names(config: Config) -> list[str]:
    return ([_MAIL] if config.mail else []) + [channel.name for channel in config.channels]


def _send(config: Config, name: str, contact: Contact) -> DeliveryError | None:
    from poller.notify.channels import make

    channel = make(config, name, threading.Event())
    if channel is None:
        return None
    try:
        channel.send_test(contact)
    except DeliveryError as error:
        return error
    finally:
        channel.close()
    return None


def _place(config: Config, name: str) -> str:
    """What the channel is, for people; no secret."""
    if name == _MAIL and config.mail is not None:
        return _mail_place(config.mail)
    channel = config.channel(name)
    if channel is None:
        return name
    if channel.kind == "command":
        return f"command {shlex.join(channel.command)}"
    signed = ", signed" if channel.secret else ""
    return f"{channel.kind} {_address(channel)}{signed}"


def _mail_place(mail: MailServer) -> str:
    login = f", login as {mail.user}" if mail.user else ""
    return f"mail server {mail.server}:{mail.port} ({_SECURITY[mail.security]}{login})"


def _address(channel: ChannelSettings) -> str:
    """Where to find it, and of an address that stands in config.xml the server only: the rest may be a secret."""
    from urllib.parse import urlsplit

    return str(channel.url) if channel.url else f"to {urlsplit(channel.address).hostname or '?'}"


def _described(config: Config, name: str) -> dict[str, Any]:
    if name == _MAIL and config.mail is not None:
        mail = config.mail
        return {"kind": "mail", "server": mail.server, "port": mail.port, "security": mail.security, "user": mail.user}
    channel = config.channel(name)
    return {"kind": channel.kind if channel else ""}


def _outcome(error: DeliveryError | None) -> dict[str, Any]:
    return {
        "accepted": error is None,
        "code": error.code if error else "",
        "error": error.sentence if error else "",
        "hint": error.hint if error else "",
        "retry": error.retry if error else None,
    }


def _contact_document(contact: Contact) -> dict[str, Any]:
    return {
        "contact": contact.name,
        "mail": contact.mail,
        "channels": list(contact.channels),
        "severities": [str(severity) for severity in sorted(contact.severities)],
        "groups": sorted(contact.groups),
        "hours": bool(contact.hours),
    }


def _quota(config: Config, name: str) -> int:
    settings = config.mail if name == _MAIL else config.channel(name)
    return settings.quota if settings else 0


def _sent_today(config: Config) -> Mapping[str, int]:
    """channel -> messages since midnight (UTC); none when nothing was ever stored."""
    from poller.clock import now_ms
    from poller.store.database import reading
    from poller.store.outbox import JournalOutbox

    try:
        with reading(config.journal) as connection:
            now = now_ms()
            return JournalOutbox(connection, config.journal).sent_since(now - now % _DAY_MS)
    except StoreError as error:
        if error.code != "absent":
            raise
        return {}
