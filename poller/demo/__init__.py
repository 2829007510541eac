"""`poller demo`: the whole path on one machine, with an SSH server and a mail server of its own on loopback.

`server` and `sink` are those servers, `kit` is the folder with keys and config.xml, `flow` the demonstration.
Nothing here is used by a real round.
"""
