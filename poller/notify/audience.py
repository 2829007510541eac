"""Who is meant: which contact wants to hear of an alert, and which rule of config.xml says whom it concerns. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from poller.model import POLLER, Alert, AnyRule, Config, Contact


def policy(config: Config, alert: Alert) -> AnyRule | None:
    """The rule that keeps the alert open: of those that cover it the most severe that is active.

    None when config.xml has none any more.
    """
    rules = covering(config, alert)
    active = [rule for rule in rules if rule.severity <= alert.severity]
    return max(active or rules, key=lambda rule: rule.severity, default=None)


def covering(config: Config, alert: Alert) -> tuple[AnyRule, ...]:
    """Every rule that may keep it open, whatever its severity."""
    if alert.host == POLLER:
        rules: tuple[AnyRule, ...] = config.thresholds
    else:
        host = config.host(alert.host)
        rules = host.judged if host else ()
    return tuple(rule for rule in rules if rule.covers(alert.metric, alert.labels))


def wants(contact: Contact, alert: Alert, config: Config) -> bool:
    """Whether it is of a severity, and of a group of hosts, that the contact is for."""
    if contact.severities and alert.severity not in contact.severities:
        return False
    host = config.host(alert.host)
    return not contact.groups or (host is not None and host.group in contact.groups)


def interested(names: Iterable[str], alert: Alert, config: Config, told: Collection[str] = ()) -> tuple[str, ...]:
    """Those of `names` that are contacts and want it. A name and a `mailto:` that end in the same mailbox are one;
    of two such names the one among `told` is used.
    """
    chosen: dict[str, str] = {}
    for name in names:
        contact = config.contact(name)
        if contact is None or not wants(contact, alert, config):
            continue
        mailbox = _mailbox(contact)
        known = chosen.setdefault(mailbox, name)
        if name in told and known not in told:
            chosen[mailbox] = name
    return tuple(chosen.values())


def _mailbox(contact: Contact) -> str:
    """Where a message to the contact ends; who is reached by something else than mail first is one of a kind."""
    by_mail = contact.mail and contact.channels[:1] == ("mail",)
    return f"mailto:{contact.mail.casefold()}" if by_mail else f"contact {contact.name}"
