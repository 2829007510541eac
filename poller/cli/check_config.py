"""`poller check-config`: is the configuration right, and if not, every mistake in it."""

from __future__ import annotations

from typing import Any

import click

from poller.cli.doubts import doubts
from poller.cli.settings import Settings, inert, mistake_document, print_json
from poller.errors import ConfigError
from poller.model import Config


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, mistakes included.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check the configuration and show every mistake at once, each as file:line (exit 2).

    A mistake inside a rule is shown with its line and a caret under the place.
    Looks at everything that can be known without the network: names, numbers, references, files and their modes.
    What is allowed and hardly meant, a contact who would never be told, is said too and leaves the exit status 0.

    \b
    Examples:
      poller check-config
      poller --config new.xml check-config --json
    """
    settings: Settings = ctx.obj
    if not as_json:
        config = settings.config
        click.echo(f"{inert(str(_shown(settings)))}: {inert(_sentence(config))}: ok")
        for doubt in doubts(config):
            click.echo(f"poller: {inert(doubt.sentence)}\n    {inert(doubt.hint)}", err=True)
        return
    try:
        config = settings.config
    except ConfigError as error:
        print_json(_failure(error))
        ctx.exit(2)
    archive = None if config.archive is None else str(config.archive)
    doubted = [{"sentence": doubt.sentence, "hint": doubt.hint} for doubt in doubts(config)]
    counts = _counts(config)
    print_json({"ok": True, "file": str(config.path), **counts, "archive": archive, "mistakes": [], "doubts": doubted})


def _shown(settings: Settings) -> object:
    """The file as the user named it, like in the mistakes."""
    import os

    from poller.config import find

    return find(settings.config_path, os.environ)


def _counts(config: Config) -> dict[str, int]:
    thresholds = {
        (threshold.where, threshold.metric, threshold.labels, threshold.key)
        for host in config.hosts
        for threshold in host.thresholds
    }
    rules = {(rule.where, rule.name) for host in config.hosts for rule in host.rules}
    return {
        "hosts": len(config.hosts),
        "groups": len({host.group for host in config.hosts} - {""}),
        "thresholds": len(thresholds),
        "rules": len(rules),
        "contacts": len(config.contacts),
    }


def _sentence(config: Config) -> str:
    counts = {what: number for what, number in _counts(config).items() if number or what != "rules"}
    parts = [f"{number} {what if number != 1 else what[:-1]}" for what, number in counts.items()]
    return ", ".join([*parts, f"archive {config.archive}"] if config.archive else parts)


def _failure(error: ConfigError) -> dict[str, Any]:
    return {
        "ok": False,
        "file": error.mistakes[0].file,
        "mistakes": [mistake_document(mistake) for mistake in error.mistakes],
    }
