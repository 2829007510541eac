"""Logging in at hosts over SSH and talking with the probe there. The only door to paramiko.

`connect` is the way in; the order of its steps, each with its file:

    resolve    config.xml, then ssh_config (sshconfig), then OpenSSH's defaults -> Route
    jump       the connection to each jump host, shared by everybody who goes through it
    gates      how many logins at once at one target
    address    name -> addresses -> connected socket, by the deadline
    wire       what paramiko reads and writes: bounded, watched from outside (watchdog)
    stepping   paramiko's Transport, read by the thread that uses it; transport: adjusted where it must be
    login      handshake and, before anything is sent,
    hostkeys   is it the host we know? (knownhosts, certificate)
    auth       keys, certificates, agent, password
    session    ask -> Answer; exchange: one request and its answer; talk: the running command;
               frame: the answer among the noise;
               diagnosis: why no answer came; local: the same on this machine, without SSH
    allowance  how much a host may push unasked
    files      how many hosts the open files are enough for
    faults     what paramiko raises -> stage, code, sentence

In: a `Host` of the model, a command and bytes. Out: bytes, or HostError. Never: a host key accepted unseen, agent
forwarding, SHA-1, a program started for ssh_config, a call that outlives its deadline.
"""

from poller.ssh import lean  # noqa: F401 - before anything that imports paramiko
from poller.ssh.allowance import Allowance
from poller.ssh.connect import addresses, connect, logged_in
from poller.ssh.files import affordable, room
from poller.ssh.gates import Gates
from poller.ssh.scan import HostKeys, record, scan
from poller.ssh.session import Answer, Session

__all__ = [
    "Allowance",
    "Answer",
    "Gates",
    "HostKeys",
    "Session",
    "addresses",
    "affordable",
    "connect",
    "logged_in",
    "record",
    "room",
    "scan",
]
