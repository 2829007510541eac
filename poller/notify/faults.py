"""The one thing about a failed delivery that its sentence does not say: whom it concerns."""

from __future__ import annotations

from poller.errors import DeliveryError


class ChannelDownError(DeliveryError):
    """Nothing gets through to anybody at the moment, so trying the next message would only cost time.

    Always worth another try later: server, network or settings can be put right, and nothing owed may be lost.
    """

    def __init__(self, sentence: str, hint: str = "", *, code: str) -> None:
        super().__init__(sentence, hint, retry=True, code=code)
