"""One HTTP request, bounded in every way: for webhooks and for the heartbeat.

Certificates are checked against the authorities of this system. No redirect is followed, no file of passwords is
read, and an address (which may hold a secret) is in no message: requests puts it into all of its own.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from poller import __version__
from poller.errors import DeliveryError
from poller.notify.bounded import within
from poller.notify.faults import ChannelDownError
from poller.notify.plain import plain
from poller.notify.sockets import Sockets

if TYPE_CHECKING:
    from requests import Response
    from requests.adapters import HTTPAdapter

_ANSWER_BYTES: Final = 2048

# exception, code, sentence after the name of the channel, hint. The first that fits counts.
_TABLE: Final[tuple[tuple[type[BaseException], str, str, str], ...]] = (
    (ssl.SSLCertVerificationError, "certificate", "shows a certificate that is not valid",
     "use the name that is in the certificate; SSL_CERT_FILE may name an authority of your own"),
    (ssl.SSLError, "tls", "does not agree on TLS", "check the scheme and the port of the address"),
    (socket.gaierror, "dns", "has no address: the name does not resolve", "check the address and the resolver"),
    (TimeoutError, "timeout", "did not answer in time", "look at the server and the network between"),
    (ConnectionRefusedError, "refused", "does not listen there", "check the address"),
    (ConnectionError, "closed", "closed the connection", "look at the server's log"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` by RFC 9110; `text` is the beginning of a refusal, on one line and harmless."""

    status: int
    text: str


def post(address: str, body: bytes, headers: Mapping[str, str], *, timeout: float, who: str) -> Answer:
    """What the server says to a POST of `body`, whatever that is. All of it takes up to `timeout` seconds.

    ChannelDownError when there is no answer, DeliveryError when `address` is none; `who` is what they call it.
    """
    sockets = Sockets()
    try:
        return within(timeout, lambda: _ask(address, body, headers, timeout, sockets), sockets.cut)
    except Exception as error:  # of requests or urllib3, or of what they use
        # `from None`: the original may quote the address.
        raise _translate(error, who) from None
    finally:
        sockets.close()


def _ask(address: str, body: bytes, headers: Mapping[str, str], timeout: float, sockets: Sockets) -> Answer:
    # Here: a round that posts nothing need not wait for it.
    import requests
    from requests.utils import get_environ_proxies

    sent = {"User-Agent": f"poller/{__version__}", "Accept-Encoding": "identity", **headers}
    with requests.Session() as session:
        # Or a ~/.netrc would be asked for a password to send along. A proxy of the environment is used all the same.
        session.trust_env = False
        adapter = _adapter(sockets)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        with session.post(
            address,
            data=body,
            headers=sent,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            verify=_authorities(),
            proxies=dict(get_environ_proxies(address)),
        ) as response:
            return Answer(response.status_code, _beginning(response))


def _adapter(sockets: Sockets) -> HTTPAdapter:
    """Keeps hold of each connection from its first moment: to cut it is the only way to end a server that drips."""
    from requests.adapters import HTTPAdapter

    def watched(kind: Any) -> Any:
        class Watched(kind):  # type: ignore[misc]
            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                sockets.keep(sock)
                return sock

        return Watched

    class Adapter(HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **named: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*args, **named)
            pool.ConnectionCls = watched(pool.ConnectionCls)
            return pool

    return Adapter()


def _authorities() -> str | bool:
    """Of this system, or what SSL_CERT_FILE and SSL_CERT_DIR name (as OpenSSL has it); else those of certifi."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True


def _beginning(response: Response) -> str:
    """The first bytes of a refusal; the rest is not read."""
    content = b""
    if not 200 <= response.status_code < 300:
        with suppress(Exception):  # What breaks off is as good: only people read it.
            content = response.raw.read(_ANSWER_BYTES) or b""
    return plain(" ".join(content.decode("utf-8", "replace").split()), 200)


def _translate(error: Exception, who: str) -> DeliveryError:
    causes = list(_causes(error))
    for kind, code, sentence, hint in _TABLE:
        found = next((cause for cause in causes if isinstance(cause, kind)), None)
        if found is not None:
            return ChannelDownError(f"{who} {sentence}{_detail(found)}", hint, code=code)
    if isinstance(error, ValueError):  # InvalidURL, MissingSchema and the like
        return DeliveryError(f"{who}: that is no address", "write it as https://name/path", retry=False, code="address")
    return ChannelDownError(f"{who} broke off the talk", "look at the server's log", code="closed")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What lies behind an exception of requests and urllib3, the innermost first: it says most."""
    inner: list[object] = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
    for cause in inner:
        if isinstance(cause, BaseException) and cause is not error:
            yield from _causes(cause)
            break
    yield error


def _detail(error: BaseException) -> str:
    """What helps to find the cause, and is neither the server's text nor the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f": {plain(str(error.verify_message), 200)}"
    return ""
