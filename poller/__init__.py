"""An agentless host monitor. This page is the map: the steps of a round, in order, and the file of each.

     config.xml
         |  config/          parse, merge, check: every mistake at once, each with its line
         v
     schedule.py             WHEN, for one round: a thread per host, staggered start, gates, stop
     fleet/                  WHEN, for a poller that stays: each host at its own interval, its session held meanwhile;
         |                   the threads of one process, or several processes that share the hosts
         v
     asking.py               MAY IT BE ASKED NOW: one poller at a time, none while the host refuses our logins
         |
         v
     poll.py                 ASK ONE HOST, in the host's thread; holds no state
         |  resident.py      the session, for one poll or for many; and what is pushed over it
         |  ssh/             known hosts, connect, a session that talks to the probe
         |  probe/           payload and request go up; envelope is opened, report validated; the same for pushes
         |      remote_probe/    what runs over there: collect, render, seal; watching/ pushes what happens
         |  pinging.py       is the machine gone, or only its SSH: reach/ sends echo requests
         |  evidence.py      a rule that wants it is breached: what is the host busy with, in the same session
         v
     intake.py               A FINISHED POLL, in the one thread that owns the journal
         |  probe/rates      two readings -> what happened between them (metrics.py names the numbers)
         |  findings/        the same -> what came and went, who talked to whom, what the logs say     (pure)
         |  rules/           values, logs, events + rules -> verdicts    (pure)
         |  alerts/          verdicts + history -> what changed, and why (pure)
         |  notify/          changes -> who is owed which message        (pure until delivered)
         |  store/           one transaction holds all of it; rollup*: 5 minutes and hours of what is stored
         |
         |  noticing/        beside polls, what watched hosts say by themselves: stored, judged, not told twice
         |  live/            pushes -> one event for what belongs together, contacts, who is silent  (pure)
         v
     round.py                THE FLEET: after a round close what left the configuration, tell, ship, prune
         |  blame.py         whose fault: hosts that are down, or the poller's own network
         |  gateways.py      or their gateway (parent=)
         |  telling.py       who is told now, who has to wait and why; reminders, escalations, the sending
         |  names.py         whom hosts talk to: addresses get names
         |  history.py       what the archive does not have yet goes there
         |  itself.py        the poller's own numbers, judged and told like those of a host
         v
     daemon/                 THE POLLER THAT STAYS: service.py, its main loop: fleet/ -> intake.py, noticing/ -> fleet/;
         |                   the steps of round.py are duties with threads of their own, so that none delays a poll
         |  control/         the local socket by which the command line asks it: status, poll, watch, reload, stop

`app.py` puts the parts of a round together, `cli/` is the only place that prints. `capacity.py` works out how many
hosts fit. `model/` are the nouns, `errors.py` the one tree of errors and the table of poll outcomes. Imports point in
one direction (setup.cfg has the layers): what polls, takes in and ends a round never knows who calls it.
"""

__version__ = "0.1.0"
