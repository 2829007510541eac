"""Threshold sets, the group's own limits and the host's are laid over each other; label by label, metric by metric."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from poller.config.limits import number
from poller.config.vocabulary import LABELS
from poller.metrics import CATALOGUE, OWN
from poller.model import Config, Hold, Severity, Threshold
from tests.config.files import loaded

PEOPLE = """<mail server="m.example.org" from="p@example.org"/>
  <contact name="ops" mail="ops@example.org"/><contact name="net" mail="net@example.org"/>"""
BASE = """<thresholds name="base">
    <threshold metric="disk.percent" above="80"/>
    <threshold metric="disk.percent" above="90" severity="high"/>
    <threshold metric="disk.percent" mountpoint="/var" above="70"/>
    <threshold metric="cpu.percent" above="95"/>
  </thresholds>"""


def config(folder: Path, body: str) -> Config:
    return loaded(folder, f"<poller>{PEOPLE}{BASE}{body}</poller>")


def limits(folder: Path, body: str) -> list[str]:
    """The limits of the first host, short, without the ever-present host.down and host.security."""
    always = ("host.down", "host.security")
    return [short(each) for each in config(folder, body).hosts[0].thresholds if each.metric not in always]


def short(threshold: Threshold) -> str:
    labels = "".join(f"[{value}]" for _, value in threshold.labels)
    return f"{threshold.metric}{labels}{threshold.sign}{threshold.limit:g}"


def down(folder: Path, body: str) -> list[Threshold]:
    return [each for each in config(folder, body).hosts[0].thresholds if each.metric == "host.down"]


def test_a_host_that_names_no_set_has_the_built_in_one(tmp_path: Path) -> None:
    assert limits(tmp_path, "<host name='a'/>") == [
        "cpu.percent>80", "memory.percent>80", "swap.percent>50",
        "disk.percent>80", "disk.percent>95", "disk.inodes_percent>80", "disk.inodes_percent>95",
    ]  # fmt: skip


def test_limits_of_one_metric_inside_one_set_stand_together(tmp_path: Path) -> None:
    assert limits(tmp_path, "<host name='a' thresholds='base'/>") == [
        "disk.percent>80", "disk.percent>90", "disk.percent[/var]>70", "cpu.percent>95",
    ]  # fmt: skip


def test_a_later_set_replaces_all_limits_of_the_same_metric_and_labels(tmp_path: Path) -> None:
    late = "<thresholds name='late'><threshold metric='disk.percent' above='85'/></thresholds>"
    assert limits(tmp_path, late + "<host name='a' thresholds='base late'/>") == [
        "disk.percent>85", "disk.percent[/var]>70", "cpu.percent>95",
    ]  # fmt: skip
    assert limits(tmp_path, late + "<host name='a' thresholds='late base'/>")[:2] == [
        "disk.percent>80", "disk.percent>90",
    ]  # fmt: skip


def test_a_limit_inside_a_group_wins_over_sets_and_loses_to_the_host(tmp_path: Path) -> None:
    body = """<group name="g" thresholds="base">
      <threshold metric="cpu.percent" above="50"/><threshold metric="disk.percent" mountpoint="/var" above="51"/>
      <host name="a"><threshold metric="cpu.percent" above="60"/></host></group>"""
    assert limits(tmp_path, body) == [
        "disk.percent>80", "disk.percent>90", "disk.percent[/var]>51", "cpu.percent>60",
    ]  # fmt: skip


def test_off_removes_just_that_metric_and_label_filter(tmp_path: Path) -> None:
    body = "<host name='a' thresholds='base'><threshold metric='disk.percent' off='yes'/></host>"
    assert limits(tmp_path, body) == ["disk.percent[/var]>70", "cpu.percent>95"]


def test_a_later_layer_can_set_again_what_an_earlier_one_turned_off(tmp_path: Path) -> None:
    body = """<group name="g" thresholds="base"><threshold metric="cpu.percent" off="yes"/>
      <host name="a"><threshold metric="cpu.percent" above="7"/></host></group>"""
    assert limits(tmp_path, body)[-1] == "cpu.percent>7"


def test_a_set_of_ones_own_called_default_takes_the_place_of_the_built_in_one(tmp_path: Path) -> None:
    body = "<thresholds name='default'><threshold metric='load.1m' above='9'/></thresholds><host name='a'/>"
    assert limits(tmp_path, body) == ["load.1m>9"]


def test_host_down_is_always_there_after_down_after(tmp_path: Path) -> None:
    (standard,) = down(tmp_path, "<host name='a' thresholds='base'/>")
    assert (standard.severity, standard.hold, standard.above) == (Severity.HIGH, Hold(polls=3), 0.0)
    assert down(tmp_path, "<host name='a' down-after='5m'/>")[0].hold == Hold(seconds=300)
    assert down(tmp_path, "<host name='a'><threshold metric='host.down' off='yes'/></host>") == []


def test_a_host_down_of_ones_own_keeps_what_it_does_not_say(tmp_path: Path) -> None:
    (own,) = down(tmp_path, "<host name='a' down-after='4 polls'><threshold metric='host.down' notify='+net'/></host>")
    assert (own.severity, own.hold, own.notify) == (Severity.HIGH, Hold(polls=4), ("net",))
    (own,) = down(tmp_path, "<host name='a'><threshold metric='host.down' for='1h' severity='low'/></host>")
    assert (own.severity, own.hold) == (Severity.LOW, Hold(seconds=3600))


@pytest.mark.parametrize(("said", "told"), [("", ("ops",)), ("net", ("net",)), ("+net", ("ops", "net")), ("none", ())])
def test_who_is_told_of_a_threshold_is_relative_to_its_host(tmp_path: Path, said: str, told: tuple[str, ...]) -> None:
    notify = f"notify='{said}'" if said else ""
    body = f"""<thresholds name="one"><threshold metric="load.1m" above="1" {notify}/></thresholds>
      <host name="a" thresholds="one" notify="ops"/>"""
    assert config(tmp_path, body).hosts[0].thresholds[-1].notify == told


@pytest.mark.parametrize(
    ("metric", "text", "value"),
    [
        ("cpu.percent", "80", 80),
        ("cpu.percent", "80%", 80),
        ("memory.available_bytes", "512MiB", 512 * 2**20),
        ("disk.available_bytes", "1.5GB", 1.5e9),
        ("network.receive_bytes_per_second", "10MB", 1e7),
        ("network.receive_bytes_per_second", "10", 10),
        ("uptime.seconds", "10m", 600),
        ("clock.offset_seconds", "-2.5", -2.5),
        ("clock.offset_seconds", "-1m", -60),
        ("load.1m", "0.5", 0.5),
    ],
)
def test_a_limit_is_written_in_the_units_of_its_metric(metric: str, text: str, value: float) -> None:
    assert number(text, CATALOGUE[metric]) == value


@pytest.mark.parametrize(("metric", "limit"), [("disk.read_only", "disk.read_only>0"), ("network.up", "network.up<1")])
def test_a_metric_that_is_0_or_1_needs_no_limit(tmp_path: Path, metric: str, limit: str) -> None:
    assert limits(tmp_path, f"<host name='a'><threshold metric='{metric}'/></host>")[-1] == limit


def test_every_metric_of_the_catalogue_can_have_a_limit_and_its_label_a_filter(tmp_path: Path) -> None:
    lines = "".join(
        f'<threshold metric="{metric.name}" above="1"' + (f' {metric.label}="x*"' if metric.label else "") + "/>"
        for metric in CATALOGUE.values()
        if not metric.name.startswith(OWN)
    )
    own = "".join(f'<threshold metric="{name}" above="1"/>' for name in CATALOGUE if name.startswith(OWN))
    loaded = config(tmp_path, f"<thresholds name='poller'>{own}</thresholds><host name='a'>{lines}</host>")
    thresholds = loaded.hosts[0].thresholds
    assert {name for each in thresholds for name, _ in each.labels} == set(LABELS)
    assert {each.metric for each in (*thresholds, *loaded.thresholds)} == set(CATALOGUE)


def own(folder: Path, body: str) -> dict[str, list[str]]:
    """The limits of the poller itself by metric, short."""
    found: dict[str, list[str]] = {}
    for each in config(folder, body).thresholds:
        found.setdefault(each.metric.removeprefix(OWN), []).append(f"{each.sign}{each.limit:g}")
    return found


def test_the_limits_of_the_poller_itself_are_replaced_metric_by_metric(tmp_path: Path) -> None:
    built_in = own(tmp_path, "<host name='a'/>")
    assert built_in["journal_percent"] == [">80", ">100"] and built_in["rejected_polls"] == [">0"]
    changed = own(
        tmp_path,
        """<thresholds name="poller"><threshold metric="poller.journal_percent" above="50"/>
             <threshold metric="poller.rejected_polls" off="yes"/></thresholds><host name="a"/>""",
    )
    assert changed == {name: limit for name, limit in built_in.items() if name != "rejected_polls"} | {
        "journal_percent": [">50"]
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            '<host name="a" notify="net"/><host name="b" notify="ops mailto:c@example.org"/>',
            "net ops mailto:c@example.org",
        ),
        ('<host name="a"/>', ""),
    ],
)
def test_of_the_poller_itself_everybody_is_told_who_is_told_of_a_host(tmp_path: Path, body: str, told: str) -> None:
    assert set(config(tmp_path, body).thresholds[0].notify) == set(told.split())


def test_notify_of_the_whole_poller_says_who_is_told_of_it(tmp_path: Path) -> None:
    text = f"<poller notify='ops'>{PEOPLE}<host name='a' notify='net'/></poller>"
    assert {each.notify for each in loaded(tmp_path, text).thresholds} == {("ops",)}


def test_a_threshold_knows_its_line(tmp_path: Path) -> None:
    text = "<poller>\n<host name='a'>\n<threshold metric='load.1m' above='1'/></host></poller>"
    *_, own = loaded(tmp_path, text).hosts[0].thresholds
    assert own.where == f"{tmp_path}/config.xml:3"


def test_the_order_of_elements_in_the_file_does_not_matter(tmp_path: Path) -> None:
    parts = ["<host name='a' thresholds='s' notify='ops'/>", "<ssh user='u'/>", PEOPLE,
             "<thresholds name='s'><threshold metric='load.1m' above='1'/></thresholds>"]  # fmt: skip
    results = set()
    for order in itertools.permutations(parts):
        (host,) = loaded(tmp_path, f"<poller>{''.join(order)}</poller>").hosts
        results.add((host.ssh.user, host.notify, tuple(short(each) for each in host.thresholds)))
    assert len(results) == 1


def future(folder: Path, body: str) -> list[str]:
    """The limits on disk.percent of a host, short, those of the future with their time."""
    (host,) = config(folder, f"<host name='a' {body}</host>").hosts
    return [
        (f"reaches {each.limit:g} within {each.within:g}" if each.within else f"{each.sign}{each.limit:g}")
        + "".join(f" {label}={glob}" for label, glob in each.labels)
        for each in host.thresholds
        if each.metric == "disk.percent"
    ]


def test_a_limit_of_the_future_stands_beside_those_of_now(tmp_path: Path) -> None:
    soon = '<threshold metric="disk.percent" reaches="100" within="24h"/>'
    assert future(tmp_path, f">{soon}") == [">80", ">95", "reaches 100 within 86400"]
    now = '<threshold metric="disk.percent" above="70"/>'
    assert future(tmp_path, f">{soon}{now}") == [">70", "reaches 100 within 86400"]
    assert future(tmp_path, '><threshold metric="disk.percent" off="yes"/>') == []


def test_a_nearer_limit_of_the_future_takes_the_place_of_a_farther_one(tmp_path: Path) -> None:
    body = """<thresholds name="soon"><threshold metric="disk.percent" reaches="100" within="24h"/></thresholds>
      <group name="g" thresholds="soon"><threshold metric="disk.percent" mountpoint="/" reaches="90" within="1h"/>
        <host name="a"><threshold metric="disk.percent" reaches="95" within="30m" evidence="yes"/></host></group>"""
    limits = [each for each in config(tmp_path, body).hosts[0].thresholds if each.metric == "disk.percent"]
    assert [(each.above, each.within, each.evidence) for each in limits] == [(95, 1800, True), (90, 3600, False)]


def test_a_number_that_is_worse_when_it_falls_reaches_its_limit_from_above(tmp_path: Path) -> None:
    text = '<host name="a"><threshold metric="memory.available_bytes" reaches="1GiB" within="2h"/></host>'
    found = next(each for each in config(tmp_path, text).hosts[0].thresholds if each.within)
    assert (found.above, found.below, found.key) == (None, 1 << 30, f"reaches-below {float(1 << 30):g} medium")
