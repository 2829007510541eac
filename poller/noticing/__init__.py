"""WHAT HOSTS SAY BY THEMSELVES, in the thread that owns the journal: pushes -> what came and went -> one event for what
belongs together -> stored, judged, owed -> the next poll is held against it, so that nothing is told twice.

    sighted = noticing.take(pushes, polls, links)       # before the polls are stored
    sighted += noticing.stored(intake.take(polls))
    sighted += noticing.due()                           # as often as one likes; `next` says when it must be
    seats = noticing.seats()

A poller that dies between a push and its event forgets both: the next poll tells it.
"""

from poller.noticing.noticing import Noticing

__all__ = ["Noticing"]
