"""The mail door against real servers on loopback: what arrives, what is refused, and what never leaks."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from poller.errors import DeliveryError
from poller.model import Contact, Letter, MailServer, Secret
from poller.notify import Delivery, deliver
from poller.notify.faults import ChannelDownError
from poller.notify.smtp import Smtp
from tests.notify.samples import CONFIG, OPS, START, MemoryOutbox, alert, notification
from tests.notify.servers import (
    PASSWORD,
    USER,
    Mail,
    Tls,
    Weary,
    dead_port,
    hostile_server,
    login_with_password,
    mail_server,
    make_tls,
    settings,
)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def password(tmp_path: Path) -> Secret:
    path = tmp_path / "smtp.pass"
    path.touch(mode=0o600)
    path.write_text(PASSWORD + "\n")
    return Secret("file", str(path))


def send(mail: MailServer, contact: Contact = OPS) -> None:
    with Smtp(mail, clock=lambda: START / 1000) as channel:
        channel.send(Letter(contact, (notification(),)))


def refusal(mail: MailServer, contact: Contact = OPS) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(mail, contact)
    assert PASSWORD not in f"{caught.value.sentence} {caught.value.hint} {caught.value!r} {caught.value.__cause__}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "the original may quote the login"
    return caught.value


class TestWhatArrives:
    def test_a_mail_in_the_clear_on_a_trusted_network(self) -> None:
        handler = Mail()
        with mail_server(handler) as port:
            send(settings(port))
        (message,) = handler.messages
        assert message["Subject"] == "[HIGH] web1: cpu.percent 97 > 90 for 5m"
        assert (message["From"], message["To"]) == ("poller@example.org", "ops@example.org")
        assert handler.envelopes[0].rcpt_tos == ["ops@example.org"]

    def test_a_mail_by_starttls_with_a_login(self, tls: Tls, password: Secret) -> None:
        handler = Mail()
        options: dict[str, Any] = {"tls_context": tls.context, "require_starttls": True, "auth_required": True}
        with mail_server(handler, authenticator=login_with_password, **options) as port:
            send(settings(port, security="starttls", ca_file=tls.ca_file, user=USER, password=password))
        assert len(handler.messages) == 1

    @pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is TLS from the first byte
    def test_a_mail_by_tls_with_a_login(self, tls: Tls, password: Secret) -> None:
        handler = Mail()
        options: dict[str, Any] = {"wrap": tls.context, "auth_required": True, "auth_require_tls": False}
        with mail_server(handler, authenticator=login_with_password, **options) as port:
            send(settings(port, security="tls", ca_file=tls.ca_file, user=USER, password=password))
        assert len(handler.messages) == 1

    def test_several_messages_go_over_one_connection(self) -> None:
        handler = Mail()
        outbox = MemoryOutbox(*(notification(alert(name), recipient=name) for name in ("ops", "net")))
        with mail_server(handler) as port, Smtp(settings(port)) as channel:
            assert deliver(outbox, CONFIG, {"mail": channel}, START) == Delivery(sent=2)
        assert [message["To"] for message in handler.messages] == ["ops@example.org", "net@example.org"]
        assert len(handler.sessions) == 1

    def test_a_connection_the_server_gave_up_is_made_anew(self) -> None:
        handler = Weary()
        with mail_server(handler) as port, Smtp(settings(port)) as channel:
            channel.send(Letter(OPS, (notification(),)))
            channel.send(Letter(OPS, (notification(number=2),)))
        assert len(handler.messages) == 2
        assert len(handler.sessions) == 2

    def test_the_test_mail(self) -> None:
        handler = Mail()
        with mail_server(handler) as port, Smtp(settings(port)) as channel:
            channel.send_test(OPS)
        assert handler.messages[0]["Subject"].startswith("[TEST]")


class TestServersThatAreAway:
    def test_nothing_listens(self) -> None:
        error = refusal(settings(dead_port()))
        assert isinstance(error, ChannelDownError) and error.code == "refused" and error.retry

    def test_accepts_and_never_answers(self) -> None:
        with hostile_server(lambda connection: None) as (port, _):
            began = time.monotonic()
            error = refusal(settings(port, timeout=0.3))
            assert time.monotonic() - began < 10
        assert isinstance(error, ChannelDownError) and error.code == "timeout" and error.retry

    def test_a_silent_server_costs_one_time_out_however_many_contacts_wait(self) -> None:
        outbox = MemoryOutbox(*(notification(alert(name), recipient=f"mailto:{name}@example.org") for name in "abcdef"))
        with hostile_server(lambda connection: None) as (port, _), Smtp(settings(port, timeout=1.0)) as channel:
            began = time.monotonic()
            delivery = deliver(outbox, CONFIG, {"mail": channel}, START)
            assert time.monotonic() - began < 5
        assert (delivery.sent, delivery.kept, len(delivery.errors)) == (0, 6, 1)

    def test_a_server_that_drips_its_answer_is_cut_off(self) -> None:
        def drip(connection: socket.socket) -> None:
            connection.settimeout(0.05)
            while True:
                connection.sendall(b"2")
                try:
                    if not connection.recv(1):
                        return
                except TimeoutError:
                    pass

        with hostile_server(drip) as (port, _):
            began = time.monotonic()
            error = refusal(settings(port, timeout=0.2))
            assert 0.5 < time.monotonic() - began < 10
        assert error.code == "timeout" and error.retry

    def test_a_delivery_as_a_whole_is_bounded(self) -> None:
        handler = Mail()
        with mail_server(handler) as port:
            error = refusal(settings(port, timeout=0.0))
        assert isinstance(error, ChannelDownError) and error.code == "slow" and error.retry

    def test_hangs_up_at_once(self) -> None:
        with hostile_server(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as (port, _):
            error = refusal(settings(port))
        assert isinstance(error, ChannelDownError) and error.retry

    def test_something_else_answers(self) -> None:
        def ssh(connection: socket.socket) -> None:
            connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
            connection.shutdown(socket.SHUT_WR)

        with hostile_server(ssh) as (port, _):
            error = refusal(settings(port))
        assert isinstance(error, ChannelDownError)
        assert error.sentence.endswith(" does not speak SMTP") and error.hint == "check server= and port="

    def test_turned_away_at_the_door(self) -> None:
        with hostile_server(lambda connection: connection.sendall(b"554 no service for you\r\n")) as (port, _):
            error = refusal(settings(port))
        assert isinstance(error, ChannelDownError) and error.code == "greeting" and "554" in error.sentence

    def test_a_name_that_does_not_resolve(self) -> None:
        error = refusal(MailServer("no-such-host.invalid", 25, "poller@example.org", security="none", timeout=5.0))
        assert isinstance(error, ChannelDownError) and error.code == "dns"

    def test_a_name_that_is_none(self) -> None:
        error = refusal(MailServer("a" * 300, 25, "poller@example.org", security="none", timeout=5.0))
        assert isinstance(error, ChannelDownError)

    def test_everything_is_delivered_once_the_server_is_back(self) -> None:
        port = dead_port()
        outbox, handler = MemoryOutbox(notification()), Mail()
        with Smtp(settings(port)) as channel:
            assert deliver(outbox, CONFIG, {"mail": channel}, START).kept == 1
        outbox.waiting.append(notification(number=2))
        with mail_server(handler, port=port), Smtp(settings(port)) as channel:
            assert deliver(outbox, CONFIG, {"mail": channel}, START).sent == 1
        assert outbox.waiting == []
        assert handler.messages[0]["Poller-Notifications"].split() == " ".join(outbox.done).split()


class TestAnswers:
    @pytest.mark.parametrize("where", ["RCPT", "DATA"])
    def test_4xx_is_tried_again_and_concerns_this_mail_alone(self, where: str) -> None:
        with mail_server(Mail(answers={where: lambda address: "451 greylisted"})) as port:
            error = refusal(settings(port))
        assert not isinstance(error, ChannelDownError)
        assert (error.code, error.retry) == ("deferred", True)
        assert "451 greylisted" in error.sentence

    @pytest.mark.parametrize("where", ["RCPT", "DATA"])
    def test_5xx_is_final_and_concerns_this_mail_alone(self, where: str) -> None:
        with mail_server(Mail(answers={where: lambda address: "550 no such user"})) as port:
            error = refusal(settings(port))
        assert not isinstance(error, ChannelDownError)
        assert (error.code, error.retry) == ("rejected", False)

    def test_one_bad_address_does_not_keep_the_others_from_their_mail(self) -> None:
        handler = Mail(answers={"RCPT": lambda address: "550 unknown" if address.startswith("ops") else None})
        outbox = MemoryOutbox(notification(), notification(recipient="net"))
        with mail_server(handler) as port, Smtp(settings(port)) as channel:
            delivery = deliver(outbox, CONFIG, {"mail": channel}, START)
        assert (delivery.sent, delivery.given_up) == (1, 1)
        assert [message["To"] for message in handler.messages] == ["net@example.org"]

    def test_421_closes_the_shop_for_everybody(self) -> None:
        with mail_server(Mail(answers={"RCPT": lambda address: "421 shutting down"})) as port:
            assert isinstance(refusal(settings(port)), ChannelDownError)

    def test_a_servers_words_cannot_play_tricks_on_the_terminal(self) -> None:
        with mail_server(Mail(answers={"DATA": lambda address: "550 \x1b[31mred"})) as port:
            assert "\x1b" not in refusal(settings(port)).sentence

    def test_an_address_the_server_cannot_carry_is_given_up(self) -> None:
        with mail_server(Mail()) as port:
            error = refusal(settings(port), Contact("ops", "über@example.org"))
        assert (error.code, error.retry) == ("address", False)


class TestSecurity:
    def test_a_password_never_goes_over_a_clear_connection(self, password: Secret) -> None:
        with hostile_server(lambda connection: connection.sendall(b"220 hello\r\n")) as (port, received):
            error = refusal(settings(port, user=USER, password=password))
        assert isinstance(error, ChannelDownError) and error.code == "clear"
        assert received == [], "not even a connection is made"

    def test_stripped_starttls_sends_nothing(self, tls: Tls, password: Secret) -> None:
        handler = Mail()
        with mail_server(handler) as port:
            error = refusal(settings(port, security="starttls", ca_file=tls.ca_file, user=USER, password=password))
        assert isinstance(error, ChannelDownError) and error.code == "starttls" and error.retry
        assert "STARTTLS" in error.sentence
        assert handler.messages == []

    def test_starttls_promised_and_refused_sends_nothing(self, tls: Tls) -> None:
        def play(connection: socket.socket) -> None:
            connection.sendall(b"220 hello\r\n")
            connection.recv(1000)
            connection.sendall(b"250-localhost\r\n250 STARTTLS\r\n")
            connection.recv(1000)
            connection.sendall(b"454 TLS not available\r\n")

        with hostile_server(play) as (port, received):
            error = refusal(settings(port, security="starttls", ca_file=tls.ca_file))
        assert error.code == "starttls"
        assert b"MAIL" not in b"".join(received)

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_a_certificate_of_an_unknown_authority_is_refused(self, tls: Tls, tmp_path: Path, security: str) -> None:
        other = make_tls(tmp_path)
        error = _certificate_refusal(tls, security, other.ca_file)
        assert "certificate" in error.sentence and "ca-file" in error.hint

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_a_certificate_of_another_name_is_refused(self, tmp_path: Path, security: str) -> None:
        other = make_tls(tmp_path, address="127.0.0.2")
        assert "mismatch" in _certificate_refusal(other, security, other.ca_file).sentence

    def test_the_systems_authorities_do_not_know_ours(self, tls: Tls) -> None:
        _certificate_refusal(tls, "starttls", None)

    def test_tls_where_the_server_speaks_plainly(self, tls: Tls) -> None:
        with mail_server(Mail()) as port:
            error = refusal(settings(port, security="tls", ca_file=tls.ca_file))
        assert isinstance(error, ChannelDownError) and error.code == "tls"

    def test_a_ca_file_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").write_text("nothing")
        with mail_server(Mail()) as port:
            for name in ("ca.pem", "missing.pem"):
                error = refusal(settings(port, security="tls", ca_file=tmp_path / name))
                assert isinstance(error, ChannelDownError) and error.code == "ca"

    def test_a_wrong_password_keeps_the_mail_and_stays_secret(
        self, tls: Tls, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "wrong.pass"
        path.touch(mode=0o600)
        path.write_text("wr0ng-" + PASSWORD)
        caplog.set_level(logging.DEBUG)
        options: dict[str, Any] = {"tls_context": tls.context, "auth_required": True}
        with mail_server(Mail(), authenticator=login_with_password, **options) as port:
            login: dict[str, Any] = {"user": USER, "password": Secret("file", str(path))}
            error = refusal(settings(port, security="starttls", ca_file=tls.ca_file, **login))
        assert isinstance(error, ChannelDownError) and error.code == "auth" and error.retry
        assert "535" in error.sentence
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("poller")]
        assert PASSWORD not in "".join(ours)

    def test_a_password_file_open_to_others_keeps_the_mail(self, tls: Tls, tmp_path: Path) -> None:
        path = tmp_path / "open.pass"
        path.write_text(PASSWORD)
        path.chmod(0o644)
        with mail_server(Mail(), tls_context=tls.context) as port:
            login: dict[str, Any] = {"user": USER, "password": Secret("file", str(path))}
            error = refusal(settings(port, security="starttls", ca_file=tls.ca_file, **login))
        assert isinstance(error, ChannelDownError) and error.code == "password" and error.retry

    def test_a_password_the_login_cannot_carry_is_not_quoted(self, tls: Tls, tmp_path: Path) -> None:
        path = tmp_path / "smtp.pass"
        path.touch(mode=0o600)
        path.write_text("pässwörd", encoding="utf-8")
        options: dict[str, Any] = {"tls_context": tls.context, "auth_required": True}
        with mail_server(Mail(), authenticator=login_with_password, **options) as port:
            login: dict[str, Any] = {"user": USER, "password": Secret("file", str(path))}
            error = refusal(settings(port, security="starttls", ca_file=tls.ca_file, **login))
        assert error.code == "auth" and "ä" not in error.sentence

    def test_a_server_without_a_login_is_named(self, tls: Tls, password: Secret) -> None:
        with mail_server(Mail(), tls_context=tls.context) as port:
            error = refusal(settings(port, security="starttls", ca_file=tls.ca_file, user=USER, password=password))
        assert error.code == "auth" and error.retry

    def test_a_server_that_wants_a_login_first_keeps_the_mail(self, tls: Tls) -> None:
        with mail_server(Mail(), tls_context=tls.context, auth_required=True) as port:
            error = refusal(settings(port, security="starttls", ca_file=tls.ca_file))
        assert isinstance(error, ChannelDownError) and error.code == "session"


def _certificate_refusal(tls: Tls, security: str, ca_file: Path | None) -> DeliveryError:
    handler = Mail()
    wrap: ssl.SSLContext | None = tls.context if security == "tls" else None
    options: dict[str, Any] = {} if wrap else {"tls_context": tls.context}
    with mail_server(handler, wrap=wrap, **options) as port:
        error = refusal(settings(port, security=security, ca_file=ca_file))
    assert isinstance(error, ChannelDownError) and error.code == "certificate" and error.retry
    assert handler.messages == []
    return error
