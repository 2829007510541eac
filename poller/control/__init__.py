"""The local socket by which the command line talks to a daemon: requests up, answers down, JSON line by line."""
