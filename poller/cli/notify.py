"""`poller notify test`: can a contact be reached with the mail server of config.xml?"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli.selecting import configuration
from poller.cli.settings import Settings, complain, inert, print_json
from poller.errors import DeliveryError, UsageError

if TYPE_CHECKING:
    from poller.model import Config, Contact, MailServer

_SECURITY: Final = {
    "none": "not encrypted",
    "starttls": "STARTTLS, certificate checked",
    "tls": "TLS, certificate checked",
}


def _complete_contact(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    config = configuration(ctx)
    return [one.name for one in config.contacts if one.name.startswith(incomplete)] if config else []


@click.group("notify")
def command() -> None:
    """Look after notifications.

    \b
    Examples:
      poller notify test --to ops      does a mail to ops get through?
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def test(settings: Settings, recipient: str, as_json: bool) -> int:
    """Send a test message to one contact, now, and say what happened.

    Exits 0 when the mail server accepted it, 1 when it did not, 2 for mistakes in config.xml or NAME.

    \b
    Examples:
      poller notify test --to ops
      poller notify test --to mailto:ops@example.org
    """
    from poller.notify.smtp import Smtp

    mail, contact = _mail_and_contact(settings.config, recipient)
    try:
        with Smtp(mail) as channel:
            channel.send_test(contact)
    except DeliveryError as error:
        _show(settings, mail, contact, error, as_json=as_json)
        return 1
    _show(settings, mail, contact, None, as_json=as_json)
    return 0


def _mail_and_contact(config: Config, recipient: str) -> tuple[MailServer, Contact]:
    contact = config.contact(recipient)
    if contact is None:
        names = [contact.name for contact in config.contacts]
        meant = difflib.get_close_matches(recipient, names, n=1)
        known = (
            f"contacts are: {', '.join(names)}" if names else 'add <contact name="" mail=""/>, or use mailto:ADDRESS'
        )
        raise UsageError(
            f"there is no contact {recipient!a} in {config.path}", f"did you mean {meant[0]}?" if meant else known
        )
    if config.mail is None:
        raise UsageError(f"there is no <mail> in {config.path}", 'add <mail server="" from=""/>: docs/configuration.md')
    return config.mail, contact


def _show(
    settings: Settings, mail: MailServer, contact: Contact, error: DeliveryError | None, *, as_json: bool
) -> None:
    if as_json:
        print_json(_document(mail, contact, error))
        return
    login = f", login as {mail.user}" if mail.user else ""
    settings.out.print(
        inert(f"mail server {mail.server}:{mail.port} ({_SECURITY[mail.security]}{login})"), markup=False
    )
    if error is None:
        settings.out.print(inert(f"accepted a test message for {contact.mail}"), markup=False)
    else:
        complain(error)


def _document(mail: MailServer, contact: Contact, error: DeliveryError | None) -> dict[str, Any]:
    return {
        "contact": contact.name,
        "mail": contact.mail,
        "server": mail.server,
        "port": mail.port,
        "security": mail.security,
        "user": mail.user,
        "accepted": error is None,
        "code": error.code if error else "",
        "error": error.sentence if error else "",
        "hint": error.hint if error else "",
        "retry": error.retry if error else None,
    }
