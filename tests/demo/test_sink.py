"""The demo's mail server keeps what it gets."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys

import pytest

from poller.demo.sink import MailSink
from poller.errors import UsageError
from poller.model import Letter
from poller.notify.smtp import Smtp
from tests.notify.samples import OPS, notification
from tests.notify.servers import settings


def test_it_keeps_mails_in_the_order_in_which_they_came() -> None:
    with MailSink() as sink, Smtp(settings(sink.port)) as channel:
        channel.send(Letter(OPS, (notification(),)))
        channel.send_test(OPS)
        assert [mail["Subject"][:6] for mail in sink.messages] == ["[HIGH]", "[TEST]"]


def test_it_refuses_what_is_larger_than_any_mail_of_ours() -> None:
    with MailSink() as sink, smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as client:
        with pytest.raises(smtplib.SMTPResponseException):
            client.sendmail("a@example.org", ["b@example.org"], b"x" * (2 * 1024 * 1024))
        assert sink.messages == ()


def test_it_stops() -> None:
    with MailSink() as sink:
        port = sink.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 10)


def test_without_aiosmtpd_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['aiosmtpd'] = None\n"
        "from poller.demo.sink import MailSink\n"
        "try: MailSink().start()\n"
        "except Exception as error: print(type(error).__name__, error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == f"{UsageError.__name__} pip install 'poller[demo]'\n", done.stderr
