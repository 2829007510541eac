"""From "this alert changed" to "this person has the mail".

In go the changes of an alert; out come notifications (`owed`, pure), which the journal keeps, and later one
message per contact through a `Channel`: a mail (`smtp`, `message`), an SMS or a chat (`service`), a `webhook` or a
command (`program`). `due` adds reminders and escalations. `gate` decides what may go now, and says why the rest is
held, waits or is suppressed (`block`: silences, downtimes, hours; `grouping`); `deliver` takes what is owed from the
outbox, the `postman` carries it by the `route` of the contact and marks each message once it was accepted: at least
once, never lost.

To add a channel: one file with a class that has `send(letter)` as `poller.model.Channel` says, `send_test` and
`close`, raising `DeliveryError` for one message and `ChannelDownError` when no message gets through at the moment;
and its line in `channels`.
"""

from poller.notify.deliver import Delivery, deliver
from poller.notify.owed import owed

__all__ = ["Delivery", "deliver", "owed"]
