"""The report: what is rendered is what is parsed, and nothing else than a refusal by the table comes of the rest."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from poller.errors import OUTCOMES, HostError
from poller.model import Report
from poller.probe.kinds import SECTIONS
from poller.probe.report import parse
from tests.fuzz.reports import HEAVY, REPORTS, elements, misordered, mutations
from tests.probe.reports import Asked, render


@given(REPORTS)
def what_was_rendered_is_what_is_parsed(whole: Report) -> None:
    assert parse(render(whole), Asked()) == whole


@given(mutations())
def a_mutation_is_a_report_or_refused(xml: bytes) -> None:
    check(xml)


@given(elements())
def strange_elements_are_a_report_or_refused(xml: bytes) -> None:
    check(xml)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def anything_is_refused(data: bytes) -> None:
    check(data)


@given(misordered())
def what_the_schema_cannot_say_is_checked_too(wrong: Report) -> None:
    names = [part.name for part in wrong.now.sections]
    right = sorted(set(names), key=list(SECTIONS).index)
    try:
        assert parse(render(wrong), Asked()) == wrong
        assert names == right
    except HostError as error:
        assert (error.stage, error.code) in (("report", "schema"), ("report", "identity"))


@given(HEAVY)
def a_heavy_document_is_refused_in_time(xml: bytes) -> None:
    check(xml)


def check(xml: bytes) -> None:
    """A Report, or a HostError of the stage `report` that is safe to show; quickly."""
    start = time.process_time()
    try:
        assert isinstance(parse(xml, Asked()), Report)
    except HostError as error:
        assert error.stage == "report" and ("report", error.code) in OUTCOMES and error.code != "internal"
        assert str(error).isascii() and str(error).isprintable() and len(str(error)) < 500
    assert time.process_time() - start < 1.0


PROPERTIES = (
    what_was_rendered_is_what_is_parsed,
    a_mutation_is_a_report_or_refused,
    strange_elements_are_a_report_or_refused,
    anything_is_refused,
    what_the_schema_cannot_say_is_checked_too,
    a_heavy_document_is_refused_in_time,
)
COSTLY = (a_heavy_document_is_refused_in_time,)
