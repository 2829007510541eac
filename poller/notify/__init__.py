"""From "this alert changed" to "this person has the mail".

In go the changes of an alert; out come notifications (`owed`, pure), which the journal keeps, and later one
message per contact (`message`, pure) through a `Channel` (`smtp`). `deliver` takes what is owed from the outbox
and marks each message once it was accepted: at least once, never lost.

To add a channel: one file with a class that has `send(contact, notifications)` as `poller.model.Channel` says,
raising `DeliveryError` for one message and `ChannelDownError` when no message gets through at the moment.
"""

from poller.notify.deliver import Delivery, deliver
from poller.notify.owed import owed

__all__ = ["Delivery", "deliver", "owed"]
