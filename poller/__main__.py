"""`python3 -m poller` is the same as `poller`."""

from poller.cli import main

main()
