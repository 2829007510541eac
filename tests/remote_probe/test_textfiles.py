"""Numbers that other programs leave in files, as node_exporter reads them."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from remote_probe.collectors import textfiles
from remote_probe.host import Host
from tests.remote_probe.filled import filled

EXPOSITION = r"""
# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post", code="400",}    3 1395066363000

# Escaping in label values:
msdos_access_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero}"} +Inf -3982045
	tabs	NaN
rpc:duration_seconds{quantile="0.01"}3102
empty{} 1
"""


def read(paths: list[Path | str]) -> tuple[dict[str, Any], dict[bytes, bytes]]:
    """The files' reasons and the series."""
    host = Host(options={"textfiles": {"paths": [str(path) for path in paths]}})
    status, reason, rows = filled(host, "textfiles")
    assert (status, reason) == ("ok", "")
    files = {os.fsdecode(row["file"]): row["reason"] for kind, row in rows if kind == "textfile"}
    return files, {row["series"]: row["value"] for kind, row in rows if kind == "series"}


def test_the_exposition_format_is_read_and_timestamps_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text(EXPOSITION)
    files, series = read([tmp_path])
    assert files == {f"{tmp_path}/a.prom": ""}
    assert series == {
        b'http_requests_total{method="post",code="200"}': b"1027",
        b'http_requests_total{method="post", code="400"}': b"3",
        rb'msdos_access_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""}': b"1.458255915e9",
        b"metric_without_timestamp_and_labels": b"12.47",
        b'something_weird{problem="division by zero}"}': b"+Inf",
        b"tabs": b"NaN",
        b'rpc:duration_seconds{quantile="0.01"}': b"3102",
        b"empty": b"1",
    }


def test_a_file_says_when_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a.prom"
    file.write_text("a 1\n")
    os.utime(file, (1, 1_700_000_000.5))
    host = Host(options={"textfiles": {"paths": [str(file)]}})
    assert filled(host, "textfiles")[2][0] == (
        "textfile",
        {"file": os.fsencode(file), "at": 1_700_000_000.5, "reason": ""},
    )


def test_only_prom_files_of_a_folder_are_read_and_each_once(tmp_path: Path) -> None:
    (tmp_path / "b.prom").write_text("b 1\n")
    (tmp_path / "a.prom.tmp").write_text("a 1\n")
    files, series = read([tmp_path, tmp_path / "b.prom", f"{tmp_path}/"])
    assert (files, series) == ({f"{tmp_path}/b.prom": ""}, {b"b": b"1"})


def test_a_broken_line_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_bytes(b"good 1\nbad\n9bad 1\nbad{x='1'} 1\nbad 1 2 3\nlast 2")
    files, series = read([tmp_path])
    assert files == {f"{tmp_path}/a.prom": "line 2 is no sample (of 4 such lines)"}
    assert series == {b"good": b"1", b"last": b"2"}


def test_of_two_series_with_one_name_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("a 1\n")
    (tmp_path / "b.prom").write_text("a 2\nb 3\n")
    files, series = read([tmp_path])
    assert series == {b"a": b"1", b"b": b"3"}
    assert files[f"{tmp_path}/b.prom"] == "line 1 has a series that was there before (of 1 such lines)"


def test_too_many_series_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("".join(f'a{{n="{number}"}} 1\n' for number in range(2500)))
    files, series = read([tmp_path])
    assert len(series) == 2000
    assert files == {f"{tmp_path}/a.prom": "500 series left out: there are more than 2000"}


def test_what_cannot_be_read_is_a_row_that_says_why(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.prom")
    (tmp_path / "folder.prom").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/s.prom")
        files, series = read([tmp_path, "/no/such/folder"])
    assert series == {}
    assert files == {
        f"{tmp_path}/pipe.prom": "no regular file",
        f"{tmp_path}/folder.prom": "no regular file",
        f"{tmp_path}/s.prom": "No such device or address",
        "/no/such/folder": "No such file or directory",
    }


def test_nothing_asked_for_is_said() -> None:
    assert filled(Host(), "textfiles")[:2] == ("absent", "no textfiles were asked for")


@given(st.one_of(st.binary(max_size=300), st.text('ab{}=", \\\t1e+-.\n#', max_size=120).map(str.encode)))
@example(b'a{x="1"' + b" " * 8000 + b"x")
@example(b"a{" + b'x="1" , ' * 1000)
@example(b"a" + b" " * 8000 + b"{")
@example(b'a{x="' + b"\\" * 8001)
def test_any_bytes_are_samples_or_broken_lines(content: bytes) -> None:
    for _, series, value in textfiles.parse_samples(content):
        assert (b"\n" not in series + value) and bool(series) == bool(value)


@given(st.dictionaries(st.from_regex("[a-z_]+", fullmatch=True), st.text(max_size=9), max_size=4), st.floats())
def test_whatever_a_label_holds_the_value_is_behind_it(labels: dict[str, str], value: float) -> None:
    escaped = {
        name: text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for name, text in labels.items()
    }
    inside = ",".join(f'{name}="{text}"' for name, text in escaped.items())
    line = f"metric{{{inside}}} {value!r} 17"
    assert [found[2] for found in textfiles.parse_samples(line.encode())] == [repr(value).encode()]
