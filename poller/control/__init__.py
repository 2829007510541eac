"""The local socket by which the command line talks to a daemon: requests up, answers down, JSON line by line."""

from poller.control.caller import Caller, Handler
from poller.control.client import Client, NotRunningError, Told
from poller.control.message import ProtocolError
from poller.control.path import socket_path
from poller.control.server import Server

__all__ = ["Caller", "Client", "Handler", "NotRunningError", "ProtocolError", "Server", "Told", "socket_path"]
