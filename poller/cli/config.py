"""`poller config show`: what applies to a host in the end and which line says so, or to the poller itself."""

from __future__ import annotations

import difflib
from typing import Any

import click

from poller.cli import alert_settings, own_settings, watched
from poller.cli.limits import escalations, limit_document, limits, reminders, rule_document, rules
from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, print_json
from poller.errors import UsageError
from poller.model import Config, Hold, Host


@click.group()
def command() -> None:
    """Look into the configuration.

    \b
    Examples:
      poller config show           where the poller keeps what, for how long, and whom it tells
      poller config show web1      what applies to web1, and which line says so
    """


@command.command(short_help="Show the merged values of HOST, each with its file:line.")
@click.argument("host", required=False, shell_complete=complete_host)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_obj
def show(settings: Settings, host: str | None, as_json: bool) -> None:
    """Show the merged values of HOST, each with the file:line that set it; without HOST those of the poller itself.

    \b
    Examples:
      poller config show
      poller config show web1
      poller config show web1 --json
    """

    config = settings.config
    if host is None:
        if as_json:
            print_json(own_settings.document(config))
        else:
            own_settings.show(settings)
        return
    found = _host(config, host)
    if as_json:
        print_json(_document(config, found))
    else:
        _print(settings, config, found)


def _host(config: Config, name: str) -> Host:
    for host in config.hosts:
        if host.name == name:
            return host
    close = difflib.get_close_matches(name, [host.name for host in config.hosts], n=1)
    hint = f"did you mean {close[0]}?" if close else "`poller status` lists what there is"
    raise UsageError(f"there is no host {name}", hint)


def _values(host: Host) -> dict[str, Any]:
    """The settings by their names in config.xml. None: left to ssh_config, or not there."""
    ssh, poll = host.ssh, host.poll
    return {
        "address": host.address,
        "user": ssh.user,
        "port": ssh.port,
        "identity-file": [str(path) for path in ssh.identity_files] or None,
        "passphrase": None if ssh.passphrase is None else str(ssh.passphrase),
        "password": None if ssh.password is None else str(ssh.password),
        "agent": ssh.agent,
        "known-hosts": [str(path) for path in ssh.known_hosts] or None,
        "host-key-policy": ssh.host_key_policy,
        "ssh-config": None if ssh.ssh_config is None else str(ssh.ssh_config),
        "proxy-jump": ssh.proxy_jump,
        "interval": poll.interval,
        "deadline": poll.deadline,
        "down-after": _hold(poll.down_after),
        "python": host.python,
        "become": host.become,
        "via": host.via,
        "parent": host.parent or None,
        "cold": host.cold,
        "live": host.live,
        "tags": sorted(host.tags),
        "notify": list(host.notify),
        "remind": [reminders([each]) for each in host.remind],
        "escalate": escalations(host.escalations),
    }


def _hold(hold: Hold) -> str:
    return f"{hold.seconds:g}s" if hold.seconds else f"{hold.polls} poll{'' if hold.polls == 1 else 's'}"


def _document(config: Config, host: Host) -> dict[str, Any]:
    origins = config.origins[host.name]
    return {
        "name": host.name,
        "group": host.group or None,
        "where": host.where,
        "settings": {name: {"value": value, "where": origins[name]} for name, value in _values(host).items()},
        "watch": watched.document(host, origins),
        "thresholds": [limit_document(threshold) for threshold in host.thresholds],
        "rules": [rule_document(rule) for rule in host.rules],
        "told": [alert_settings.reached_document(one) for one in alert_settings.reached(config, host)],
    }


def _print(settings: Settings, config: Config, host: Host) -> None:
    from poller.cli.table import cell, plain_table

    group = f" in group {host.group}" if host.group else ""
    settings.out.print(cell(f"{host.name}{group}, {host.where}"))
    values = plain_table("SETTING", "VALUE", "SET BY")
    for name, value in _values(host).items():
        values.add_row(name, cell(_shown(value)), cell(config.origins[host.name][name]))
    things = watched.table(host, config.origins[host.name])
    tables: list[object] = [values, "", things, "", limits(host.thresholds)]
    if host.rules:
        tables += ["", rules(host.rules)]
    if people := alert_settings.reached(config, host):
        tables += ["", alert_settings.reached_table(people)]
    settings.out.print(*tables, sep="\n")


def _shown(value: Any) -> str:
    """A setting as it would be written in config.xml; the only fractions are seconds."""
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}s"
    return " ".join(value) if isinstance(value, list) else str(value)
