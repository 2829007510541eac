"""What the mails say, how they thread, and that foreign text cannot do anything in them."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.errors import DeliveryError
from poller.metrics import CATALOGUE
from poller.model import Alert, ChangeKind, Contact, EvidencePart, Letter, Notification, Severity
from poller.notify.attachment import attachments
from poller.notify.body import text as body_text
from poller.notify.message import compose, compose_test
from poller.notify.plain import plain
from poller.notify.subject import headline, subject
from poller.notify.wording import duration, limit, quantity
from tests.notify.samples import ALERT, NAUGHTY, OPS, START, alert, notification

SENDER = "poller@example.org"


def mail(*notifications: Notification) -> EmailMessage:
    return compose(Letter(OPS, notifications), SENDER, START)


def received(*notifications: Notification) -> EmailMessage:
    """As the other side parses it."""
    return email.message_from_bytes(mail(*notifications).as_bytes(), policy=email.policy.default)


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def closed(opened: Alert, value: float = 41.0, after_s: int = 7500) -> Alert:
    return replace(opened, value=value, closed_ms=opened.since_ms + after_s * 1000)


class TestSubject:
    def test_one_alert(self) -> None:
        assert subject([notification()]) == "[HIGH] web1: cpu.percent 97 > 90 for 5m"

    def test_a_rise_and_a_fall(self) -> None:
        assert subject([notification(kind=ChangeKind.ROSE)]).endswith("97 > 90 for 5m (rose)")
        assert subject([notification(kind=ChangeKind.FELL)]).endswith("97 > 90 for 5m (fell)")

    def test_the_end(self) -> None:
        assert subject([notification(closed(ALERT), ChangeKind.CLOSED)]) == "[OK] web1: cpu.percent back to 41"

    def test_no_longer_configured(self) -> None:
        line = subject([notification(kind=ChangeKind.UNCONFIGURED)])
        assert line == "[CLOSED] web1: cpu.percent is no longer watched"

    def test_labels_and_bytes(self) -> None:
        full = alert(
            metric="disk.available_bytes", labels=(("mountpoint", "/var"),), value=2**29, limit="< 1.07374e+09"
        )
        assert subject([notification(full)]) == (
            '[HIGH] web1: disk.available_bytes{mountpoint="/var"} 512.0 MiB < 1.0 GiB'
        )

    def test_a_yes_or_no_metric_needs_no_number(self) -> None:
        down = alert(metric="host.down", value=1.0, limit="> 0 for 3 polls")
        assert subject([notification(down)]) == "[HIGH] web1: host.down for 3 polls"
        assert subject([notification(closed(down, 0.0), ChangeKind.CLOSED)]) == "[OK] web1: host.down is over"

    def test_trouble_of_the_poller_and_of_security_is_told_in_its_own_words(self) -> None:
        lost = alert("poller", metric="poller.unreachable_percent", value=96.0, limit="> 50", reason="48 of 50 hosts")
        assert subject([notification(lost)]) == "[HIGH] poller: 48 of 50 hosts"
        assert subject([notification(closed(lost, 0.0), ChangeKind.CLOSED)]) == (
            "[OK] poller: poller.unreachable_percent back to 0"
        )
        assert subject([notification(lost), notification(alert("web1"))]).endswith(
            "2 hosts: poller.unreachable_percent, web1 cpu.percent"
        )
        changed = alert(metric="host.security", value=1.0, limit="> 0", reason="hostkey/changed: another key")
        assert subject([notification(changed)]) == "[HIGH] web1: hostkey/changed: another key"
        assert "--host poller" not in body_text(Letter(OPS, (notification(lost),)))

    def test_several_alerts_of_several_hosts_worst_first(self) -> None:
        several = [
            notification(alert("lab1", severity=Severity.MEDIUM)),
            notification(alert("web1")),
            notification(alert("db1", "memory.percent")),
        ]
        assert subject(several) == ("[2 HIGH 1 MEDIUM] 3 hosts: web1 cpu.percent, db1 memory.percent, lab1 cpu.percent")

    def test_several_alerts_of_one_host(self) -> None:
        both = [notification(alert()), notification(alert(metric="memory.percent"))]
        assert subject(both) == "[2 HIGH] web1: cpu.percent, memory.percent"

    def test_what_opened_and_closed_in_one_mail_is_ok(self) -> None:
        both = [notification(), notification(closed(ALERT), ChangeKind.CLOSED, number=2)]
        assert subject(both) == "[OK] web1: cpu.percent back to 41"

    def test_it_is_never_long(self) -> None:
        assert len(subject([notification(alert(f"host{number}")) for number in range(500)])) <= 160


def told(kind: ChangeKind, one: Alert = ALERT, after_s: int = 0) -> Notification:
    return replace(notification(one, kind), at_ms=one.since_ms + after_s * 1000)


RULE = alert(
    metric="busy",
    value=1.0,
    limit="cpu.percent > 90 and load.1m_per_cpu > 2 for 300s",
    reason="cpu.percent 97, load.1m_per_cpu 2.4: cpu.percent > 90 and load.1m_per_cpu > 2 for 5m",
)
COMING = alert(metric="disk.percent", value=92.0, limit="reaches 100 within 24h", reason="reaches 100 in about 5h")


class TestSubjectsOfOtherKinds:
    @pytest.mark.parametrize("why", ["no longer there", "steady again: no longer there"])
    def test_what_is_gone_did_not_come_back_to_a_value(self, why: str) -> None:
        disk = alert(metric="disk.percent", labels=(("mountpoint", "/mnt"),))
        gone = replace(closed(disk, value=99.0), reason=why)
        assert subject([notification(gone, ChangeKind.CLOSED)]) == (
            '[OK] web1: disk.percent{mountpoint="/mnt"} is no longer there'
        )

    @pytest.mark.parametrize(
        ("one", "line"),
        [
            (told(ChangeKind.REMINDER, after_s=14400), "[HIGH] web1: cpu.percent 97 > 90, still so after 4h"),
            (
                told(ChangeKind.ESCALATED, after_s=300 + 1800),
                "[HIGH] web1: cpu.percent 97 > 90, nobody has taken care for 30m",
            ),
            (
                told(ChangeKind.FLAPPING, replace(ALERT, reason="flapping, 9 changes in 20 polls: 97.0 > 90")),
                "[HIGH] web1: cpu.percent flaps: 9 of the last 20 polls changed",
            ),
            (told(ChangeKind.FLAPPING), "[HIGH] web1: cpu.percent flaps"),
            (
                told(ChangeKind.STEADY, replace(ALERT, reason="steady again: 97.0 > 90")),
                "[HIGH] web1: no longer flaps: cpu.percent 97 > 90",
            ),
            (told(ChangeKind.STEADY, closed(ALERT)), "[OK] web1: no longer flaps: cpu.percent back to 41"),
            (told(ChangeKind.OPENED, RULE), "[HIGH] web1: busy: cpu.percent 97, load.1m_per_cpu 2.4"),
            (
                told(ChangeKind.OPENED, replace(RULE, reason="")),
                "[HIGH] web1: busy: cpu.percent > 90 and load.1m_per_cpu > 2",
            ),
            (
                told(ChangeKind.REMINDER, RULE, after_s=3600),
                "[HIGH] web1: busy: cpu.percent 97, load.1m_per_cpu 2.4, still so after 1h",
            ),
            (told(ChangeKind.CLOSED, closed(RULE)), "[OK] web1: busy is over"),
            (told(ChangeKind.OPENED, COMING), "[HIGH] web1: disk.percent 92, reaches 100 within 24h"),
        ],
    )
    def test_each_has_its_own_words(self, one: Notification, line: str) -> None:
        assert subject([one]) == line

    def test_a_digest_says_that_it_is_one(self) -> None:
        both = (notification(), notification(closed(alert("db1")), ChangeKind.CLOSED))
        line = headline(Letter(OPS, both, digest=True))
        assert line == "[DIGEST: 1 HIGH 1 OK] 2 hosts: web1 cpu.percent, db1 cpu.percent"
        assert headline(Letter(OPS, both)) == line.replace("DIGEST: ", "")

    def test_a_rule_has_no_value_of_its_own(self) -> None:
        text = text_of(received(told(ChangeKind.OPENED, RULE)))
        assert "value" not in text
        assert "limit   cpu.percent > 90 and load.1m_per_cpu > 2 for 5m" in text
        assert "why     cpu.percent 97, load.1m_per_cpu 2.4: " in text


class TestPage:
    def test_it_says_what_the_text_says(self) -> None:
        down = alert(metric="host.down", value=1.0, limit="> 0 for 3 polls", reason="connect/timeout: no answer")
        page = Page(text_of(received(notification(), notification(down)), "html")).words
        for words in ("HIGH", "web1", "cpu.percent", "97 %", "> 90 for 5m", "2023-11-14 22:08:20 UTC",
                      "connect/timeout: no answer", "poller explain connect/timeout", "poller metrics --host web1",
                      "Now: 2 HIGH.", ALERT.id):  # fmt: skip
            assert words in page, words

    def test_a_note_stands_at_the_top_of_both(self) -> None:
        letter = Letter(OPS, (notification(),), note="The quota of mail is used up: the rest comes tomorrow.")
        message = compose(letter, SENDER, START)
        assert text_of(message).startswith(letter.note)
        assert Page(text_of(message, "html")).words.split("Alerts:")[0].strip().endswith(letter.note)

    def test_a_digest_says_what_it_is(self) -> None:
        message = compose(Letter(OPS, (notification(),), digest=True), SENDER, START)
        assert text_of(message).startswith("This is what a quota kept back")
        assert "what a quota kept back" in text_of(message, "html")

    def test_a_telephone_shows_all_of_an_alert_without_scrolling_sideways(self) -> None:
        page = text_of(received(notification(), notification(alert("db1"))), "html")
        assert page.count("<tr>") == page.count("<td") == 2, "an alert is one cell, not a row of them"
        assert "<th" not in page and "nowrap" not in page and "overflow-wrap: anywhere" in page

    def test_it_fetches_nothing(self) -> None:
        page = text_of(received(notification()), "html")
        assert not re.search(r"https?:|//|src=|href=|<img|<link|<script", page)


class TestManyAtOnce:
    def storm(self, count: int, text: str = "host") -> Letter:
        worst = [notification(alert(f"{text}{number}", severity=Severity.HIGH)) for number in range(3)]
        rest = [notification(alert(f"{text}{number}", severity=Severity.LOW)) for number in range(3, count)]
        return Letter(OPS, tuple(rest + worst))

    def test_the_worst_are_told_in_full_and_the_rest_in_a_line_each(self) -> None:
        message = compose(self.storm(500), SENDER, START)
        text = text_of(message)
        assert "Now: 3 HIGH 497 LOW, on 500 hosts." in text
        assert text.count("    since   ") == 40 and text.count("    OPENED [LOW] ") == 460
        assert all(f"OPENED [HIGH] host{number}: cpu.percent\n    value" in text for number in range(3))
        assert "And 460 more:" in text
        page = text_of(message, "html")
        assert page.count("<li>") == 460 and page.count("<tr>") == 40

    @pytest.mark.parametrize(
        "text", ["host", "x" * 3000, "\u202e" * 500, "Ωμέγα 漢字 🖥 " * 300], ids=["ascii", "long", "controls", "wide"]
    )
    def test_it_stays_below_what_a_mail_server_takes(self, text: str) -> None:
        assert len(compose(self.storm(500), SENDER, START).as_bytes()) < 200_000
        assert len(compose(self.storm(5000, text), SENDER, START).as_bytes()) < 2_000_000

    def test_what_does_not_fit_is_counted(self) -> None:
        text = text_of(compose(self.storm(2000), SENDER, START))
        assert "And 1960 more:" in text and "    and 1460 not listed here" in text


class TestEvidence:
    def test_it_is_a_file_for_each_alert(self) -> None:
        other = alert("db1", "memory.percent")
        letter = Letter(
            OPS,
            (notification(), notification(other)),
            {
                ALERT.id: (EvidencePart("processes", START, "1 init\n2 sh\n"), EvidencePart("kernel", START, "oom\n")),
                other.id: (EvidencePart("sockets", START, "tcp\n"),),
            },
        )
        raw = compose(letter, SENDER, START).as_bytes()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        first, second = message.iter_attachments()
        assert [first.get_filename(), second.get_filename()] == [
            "evidence-web1-cpu.percent.txt",
            "evidence-db1-memory.percent.txt",
        ]
        assert first.get_content_type() == "text/plain"
        assert first.get_content().replace("\r\n", "\n") == (
            f"web1: cpu.percent, alert {ALERT.id}\n\n"
            "--- processes, 2023-11-14 22:13:20 UTC ---\n1 init\n2 sh\n\n"
            "--- kernel, 2023-11-14 22:13:20 UTC ---\noom\n"
        )
        assert "Attached: evidence-web1-cpu.percent.txt, evidence-db1-memory.percent.txt" in text_of(message)

    def test_all_of_it_together_is_bounded(self) -> None:
        many = [alert(f"web{number}") for number in range(100)]
        parts = (EvidencePart("processes", START, "Ω" * 10_000_000),)
        letter = Letter(OPS, tuple(map(notification, many)), {one.id: parts for one in many})
        files = attachments(letter)
        assert len(files) == 32
        assert sum(len(file.text.encode()) for file in files) <= 256 * 1024
        assert "cut here" in files[0].text

    @pytest.mark.parametrize("text", NAUGHTY, ids=ascii)
    def test_names_and_lines_are_harmless(self, text: str) -> None:
        nasty = replace(ALERT, host=text + "/../../etc", metric=text)
        again = replace(nasty, id="another")
        parts = (EvidencePart(text, START, f"{text}\n{text}\x1b[31m\n"),)
        letter = Letter(OPS, (notification(nasty), notification(again)), {nasty.id: parts, again.id: parts})
        first, second = attachments(letter)
        assert first.name != second.name
        for file in (first, second):
            assert re.fullmatch(r"evidence-[A-Za-z0-9._-]+\.txt", file.name) and len(file.name) < 160
            assert file.text.replace("\n", "").isprintable()
        message = email.message_from_bytes(compose(letter, SENDER, START).as_bytes(), policy=email.policy.default)
        assert [part.get_filename() for part in message.iter_attachments()] == [first.name, second.name]


class TestBody:
    def test_it_lists_everything_in_the_order_in_which_it_happened(self) -> None:
        text = text_of(received(notification(), notification(closed(ALERT), ChangeKind.CLOSED, number=2)))
        assert text.index("OPENED [HIGH] web1: cpu.percent") < text.index("CLOSED [HIGH] web1: cpu.percent")
        assert text.startswith("Alerts: 1 opened, 1 closed.")

    def test_the_worst_comes_first_and_what_is_over_last(self) -> None:
        low, ended = alert("lab1", severity=Severity.LOW), alert("db1")
        order = [
            notification(ended),
            notification(low),
            notification(closed(ended), ChangeKind.CLOSED, number=2),
            notification(),
        ]
        message = received(*order)
        text = text_of(message)
        heads = ("OPENED [HIGH] web1", "OPENED [LOW] lab1", "OPENED [HIGH] db1", "CLOSED [HIGH] db1")
        assert sorted(heads, key=text.index) == list(heads)
        page = Page(text_of(message, "html")).words
        assert page.index("web1: ") < page.index("lab1: ") < page.index("db1: ")

    def test_a_reason_that_only_repeats_value_and_limit_is_left_out(self) -> None:
        text = text_of(received(notification(replace(ALERT, reason="97.0 > 90 for 5m"))))
        assert "value   97 %" in text and "limit   > 90 for 5m" in text and "why" not in text

    def test_it_says_value_limit_since_when_and_which_alert(self) -> None:
        text = text_of(received(notification()))
        assert "value   97 %" in text
        assert "limit   > 90 for 5m" in text
        assert "since   2023-11-14 22:08:20 UTC" in text
        assert f"alert   {ALERT.id}, message 1" in text

    @pytest.mark.parametrize(
        ("kind", "words"),
        [(ChangeKind.REMINDER, "still so after 4h"), (ChangeKind.ESCALATED, "nobody has taken care for 3h 55m")],
    )
    def test_who_is_told_again_is_told_why(self, kind: ChangeKind, words: str) -> None:
        message = received(told(kind, after_s=14400))
        assert f"    now     {words}\n" in text_of(message)
        assert f"{kind.value}: {words}" in Page(text_of(message, "html")).words

    def test_the_end_says_how_long_it_lasted(self) -> None:
        text = text_of(received(notification(closed(ALERT), ChangeKind.CLOSED, number=2)))
        assert "lasted  2h 5m, until 2023-11-15 00:13:20 UTC" in text

    def test_it_says_why_when_that_is_known(self) -> None:
        assert "why     nothing listens on that port" in text_of(
            received(notification(replace(ALERT, reason="nothing listens on that port")))
        )

    def test_it_says_how_to_look(self) -> None:
        text = text_of(received(notification()))
        assert "poller status" in text
        assert "poller metrics --host web1" in text
        assert "poller ack 00000001 --comment 'on it'" in text
        ended = text_of(received(notification(), notification(closed(ALERT), ChangeKind.CLOSED)))
        assert "poller ack" not in ended, "nobody need take care of what is over"

    def test_it_names_what_is_written_about_the_cause(self) -> None:
        down = alert(metric="host.down", value=1.0, limit="> 0 for 3 polls", reason="connect/timeout: no answer")
        away = alert("poller", metric="poller.archive_away_seconds", reason="archive away for 12m")
        odd = alert(reason="rm/rf: poller explain what is not there")
        text = text_of(received(notification(down), notification(away), notification(odd)))
        assert "    poller explain connect/timeout\n    poller explain poller.archive_away_seconds\n" in text
        assert text.count("    poller explain ") == 2
        assert "why     connect/timeout: no answer" in text and "yes" not in text
        assert "explain" not in text_of(received(notification(closed(down, 0.0), ChangeKind.CLOSED)))

    def test_a_host_name_in_a_command_is_safe_to_paste(self) -> None:
        assert "--host 'a; rm -rf /'" in text_of(received(notification(alert("a; rm -rf /"))))

    def test_text_of_any_language_arrives(self) -> None:
        mounted = alert(metric="disk.percent", labels=(("mountpoint", "/媒体/Ωμέγα"),))
        message = received(notification(mounted))
        assert "/媒体/Ωμέγα" in text_of(message)
        assert "/媒体/Ωμέγα" in message["Subject"]

    @pytest.mark.parametrize("length", range(20, 110, 3))
    def test_a_subject_of_any_length_begins_on_its_own_line(self, length: int) -> None:
        """Where it is folded before its first word, simple programs see an empty one."""
        mounted = alert(metric="disk.percent", labels=(("mountpoint", "/" + "x" * length),))
        assert b"\r\nSubject: [" in mail(notification(mounted)).as_bytes()


class TestThreads:
    def test_a_repeated_mail_has_the_same_id_whenever_it_is_sent(self) -> None:
        again = replace(notification(), id="another", attempts=3)
        assert compose(Letter(OPS, (again,)), SENDER, START + 9999)["Message-ID"] == mail(notification())["Message-ID"]

    def test_the_end_refers_to_the_mail_that_told_of_the_beginning(self) -> None:
        first = mail(notification())
        last = mail(notification(closed(ALERT), ChangeKind.CLOSED, number=2))
        assert first["References"] is None
        assert last["In-Reply-To"] == last["References"] == first["Message-ID"]
        assert last["Message-ID"] != first["Message-ID"]

    def test_a_mail_of_several_alerts_names_the_threads_of_all_oldest_first(self) -> None:
        new, old = alert("web1", opened_ms=START), alert("db1", opened_ms=START - 1)
        both = mail(notification(new), notification(old))
        roots = [mail(notification(one))["Message-ID"] for one in (old, new)]
        assert both["References"].split() == roots
        assert both["In-Reply-To"] == roots[0]

    def test_every_mail_has_its_own_id(self) -> None:
        mails = [
            mail(notification()),
            mail(notification(recipient="net")),
            mail(notification(number=2)),
            mail(notification(alert("db1"))),
            mail(notification(), notification(alert("db1"))),
        ]
        assert len({one["Message-ID"] for one in mails}) == len(mails)

    def test_references_stay_bounded(self) -> None:
        many = mail(*(notification(alert(f"host{number}")) for number in range(300)))
        assert len(many["References"].split()) == 20

    def test_ids_survive_the_way(self) -> None:
        sent = mail(*(notification(alert(f"host{number}")) for number in range(5)))
        got = email.message_from_bytes(sent.as_bytes(), policy=email.policy.default)
        assert got["Message-ID"] == sent["Message-ID"]
        assert got["References"].split() == sent["References"].split()

    def test_a_sender_with_a_long_domain_still_makes_short_ids(self) -> None:
        message = compose(Letter(OPS, (notification(),)), "poller@" + "very-long-" * 6 + "name.example.org", START)
        assert re.search(rb"^Message-ID: <poller\.[0-9a-f]{32}@poller\.invalid>\r$", message.as_bytes(), re.M)


class TestEnvelope:
    def test_machines_must_not_answer(self) -> None:
        assert mail(notification())["Auto-Submitted"] == "auto-generated"

    def test_the_date_is_the_moment_of_sending(self) -> None:
        assert mail(notification())["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"

    def test_it_names_its_notifications(self) -> None:
        assert mail(replace(notification(), id="n-1"), notification(alert("db1")))["Poller-Notifications"].startswith(
            "n-1"
        )

    @pytest.mark.parametrize(
        "address",
        ["", "ops", "ops@", "@example.org", "a@example.org, b@example.org", "a@example.org\r\nBcc: x@y.z", "a b@c"],
    )
    def test_what_is_no_address_is_refused_for_good(self, address: str) -> None:
        with pytest.raises(DeliveryError) as caught:
            compose(Letter(Contact("ops", address), (notification(),)), SENDER, START)
        assert not caught.value.retry
        assert "\r" not in caught.value.sentence

    def test_a_wrong_sender_is_a_mistake_in_the_settings_and_loses_nothing(self) -> None:
        with pytest.raises(DeliveryError) as caught:
            compose(Letter(OPS, (notification(),)), "poller", START)
        assert caught.value.retry

    def test_a_sender_may_have_a_name(self) -> None:
        assert (
            compose(Letter(OPS, (notification(),)), "Poller <poller@example.org>", START)["From"]
            == "Poller <poller@example.org>"
        )

    def test_the_test_mail_says_that_it_is_one(self) -> None:
        message = compose_test(OPS, SENDER, START)
        assert message["Subject"] == "[TEST] poller can reach ops"
        assert "test message" in text_of(message)


HEADERS = {
    "From", "To", "Date", "Auto-Submitted", "Subject", "Message-ID", "In-Reply-To", "References",
    "Poller-Notifications", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
}  # fmt: skip


def check_harmless(notifications: Sequence[Notification]) -> None:
    raw = mail(*notifications).as_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert set(message.keys()) <= HEADERS
    assert len(message.keys()) == len(set(message.keys())), "a header came twice"
    assert message["To"] == "ops@example.org"
    page = text_of(message, "html")
    check_page(page)
    shown = text_of(message) + page + message["Subject"]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", shown)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b""), "bare line feed"


# What our own template is made of, and no more than that.
TAGS = {
    "html", "head", "meta", "title", "style", "body", "p", "br", "table", "tr", "th", "td", "b", "small", "code", "ul",
    "li",
}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "name", "content", "style"}


class Page(HTMLParser):
    """Everything in a page that a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


def check_page(page: str) -> None:
    """Nothing in it that is not of our template, and nothing that is fetched."""
    seen = Page(page)
    assert seen.tags <= TAGS and seen.attributes <= ATTRIBUTES
    assert "url(" not in page and "@import" not in page


class TestForeignText:
    @pytest.mark.parametrize("text", NAUGHTY, ids=ascii)
    def test_naughty_strings_stay_text(self, text: str) -> None:
        nasty = replace(ALERT, host=text, metric=text, labels=(("mountpoint", text),), limit=text, reason=text, id=text)
        check_harmless([notification(nasty)])
        check_harmless([notification(nasty), notification(replace(nasty, id="2", host=text + "2"), ChangeKind.CLOSED)])

    @pytest.mark.parametrize(
        "text",
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "' style='background:url(http://192.0.2.1/)",
            "</td></table><h1>all is well</h1>",
            "<!-- ",
            "{{ 7 * 7 }} {% raw %}",
            "&lt;b&gt; &amp; &#60;i&#62;",
            "javascript:alert(1)",
        ],
    )
    def test_markup_of_others_is_text_on_the_page(self, text: str) -> None:
        nasty = replace(ALERT, host=text, metric=text, labels=(("mountpoint", text),), limit=text, reason=text, id=text)
        part = EvidencePart(text, START, text)
        letter = Letter(
            OPS, tuple(notification(replace(nasty, id=str(one))) for one in range(60)), {"1": (part,)}, note=text
        )
        message = compose(letter, SENDER, START)
        page = text_of(message, "html")
        seen = Page(page)
        assert seen.tags <= TAGS and seen.attributes <= ATTRIBUTES
        assert text in seen.words, "nothing was lost, and no template was filled in"

    @given(st.text(), st.text(), st.text(), st.sampled_from(ChangeKind), st.floats(allow_nan=True))
    def test_no_text_at_all_can_add_a_header(
        self, host: str, label: str, reason: str, kind: ChangeKind, value: float
    ) -> None:
        nasty = replace(ALERT, host=host, labels=(("mountpoint", label),), reason=reason, limit=label, value=value)
        check_harmless([notification(nasty, kind, number=2), notification()])

    def test_escapes_show_what_was_there(self) -> None:
        assert plain("a\r\nb\x1b\u202e") == r"a\x0d\x0ab\x1b\u202e"


class TestWording:
    @pytest.mark.parametrize(
        ("value", "unit", "words"),
        [
            (97.04, "percent", "97"),
            (97.26, "percent", "97.3"),
            (0.123, "count", "0.123"),
            (0, "count", "0"),
            (512, "bytes", "512 B"),
            (1536, "bytes", "1.5 KiB"),
            (2**60, "bytes", "1024.0 PiB"),
            (2048, "bytes per second", "2.0 KiB/s"),
            (12.5, "per second", "12.5/s"),
            (0.25, "seconds", "0.25 s"),
            (-3, "seconds", "-3 s"),
            (7500, "seconds", "2h 5m"),
            (1, "0 or 1", "yes"),
            (3, "", "3"),
        ],
    )
    def test_a_value_reads_as_people_say_it(self, value: float, unit: str, words: str) -> None:
        assert quantity(value, unit) == words

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(0, "0s"), (-5, "0s"), (45, "45s"), (300, "5m"), (3600, "1h"), (3605, "1h"), (90061, "1d 1h"), (86400, "1d")],
    )
    def test_a_duration_has_its_two_largest_units(self, seconds: float, words: str) -> None:
        assert duration(seconds) == words

    @pytest.mark.parametrize(
        ("text", "unit", "words"),
        [
            ("> 90", "percent", "> 90"),
            ("> 90 for 3 polls", "percent", "> 90 for 3 polls"),
            ("< 1.07374e+09 for 90s", "bytes", "< 1.0 GiB for 1m 30s"),
            ("something else", "percent", "something else"),
            ("> many", "percent", "> many"),
        ],
    )
    def test_a_limit_gets_the_unit_of_its_metric(self, text: str, unit: str, words: str) -> None:
        assert limit(text, unit) == words

    @given(st.floats(), st.sampled_from(sorted({metric.unit for metric in CATALOGUE.values()})))
    def test_every_unit_of_the_catalogue_has_words(self, value: float, unit: str) -> None:
        if abs(value) < 1e15:
            assert quantity(value, unit)
