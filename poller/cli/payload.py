"""`poller payload`: exactly what would be sent to a host, to read, to keep, or to pipe into ssh by hand."""

from __future__ import annotations

import sys

import click

from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, inert, print_json


@click.command("payload")
@click.argument("host", shell_complete=complete_host)
@click.option("--raw", is_flag=True, help="The bytes themselves, even on a terminal.")
@click.option("--source", is_flag=True, help="The Python source that travels, module by module.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
@click.pass_obj
def command(settings: Settings, host: str, raw: bool, source: bool, as_json: bool) -> None:
    """Show what would be sent to HOST: the command, the probe, and the first request.

    Into a pipe or file go the bytes themselves; on a terminal a summary. It is that of a first poll; later
    ones leave out what is not due. A real poll makes a new key, nonce and marker each time, so the request
    shown is one of its kind.

    \b
    Examples:
      poller payload web1                     summary
      poller payload web1 --source | less     every line of code that runs on the host
      poller payload web1 > sent.bin          the bytes
    """
    from poller.app import Selection, select
    from poller.model import Before
    from poller.probe.payload import build
    from poller.probe.payload import command as order
    from poller.probe.request import Request
    from poller.probe.wanted import due

    chosen = select(settings.config, Selection(hosts=(host,)))[0]
    payload = build(due(chosen.watch, Before(), 0), elsewhere=True)
    if source:
        for name, text in payload.modules.items():
            click.echo(f"# ==== {name}\n{text}")
        return
    deadline = chosen.poll.deadline
    request = Request.fresh(chosen.name, "SHA256:as-verified", Before(), payload, deadline, watch=chosen.watch)
    if raw or not (as_json or sys.stdout.isatty()):
        sys.stdout.buffer.write(payload.data + request.frame)
        return
    summary = {
        "host": chosen.name,
        "command": order(chosen.python, chosen.become),
        "bytes": len(payload.data) + len(request.frame),
        "digest": payload.digest,
        "sections": list(payload.sections),
        "modules": {name: len(text) for name, text in payload.modules.items()},
        "request": request.body.decode(),
    }
    if as_json:
        print_json(summary)
        return
    for key, value in summary.items():
        click.echo(f"{key:9} {inert(str(value))}")
