"""iperf prints what version 2 prints, and its figures are right."""

from __future__ import annotations

import re

import pytest

from sdnvirt.commands.iperf import datagram
from sdnvirt.commands.iperf.report import Datagrams, loss, row
from sdnvirt.devices.rules import Delay, Drop, Pass
from sdnvirt.drops import DropReason

S, MS = 10**9, 10**6
ROW = (
    r"\[ *(?:\d+|SUM)\] (\d+\.\d{4})-(\d+\.\d{4}) sec  +"
    r"([\d.]+) ([KMG]?Bytes)  +([\d.]+) ([KMG]?)bits/sec"
)


def rows(output: str) -> list[tuple[str, ...]]:
    """Return the figures of the lines with throughput."""
    return [tuple(one) for one in re.findall(ROW, output)]


def test_throughput(net, ip) -> None:
    server = net["h2"].start("iperf -s -i 1")
    output = net["h1"].cmd(f"iperf -c {ip.h2} -t 3 -i 1")
    lines = output.splitlines()
    assert lines[:4] == [
        "-" * 60, f"Client connecting to {ip.h2}, TCP port 5001",
        "TCP window size: 2.00 MByte (default)", "-" * 60,
    ]  # fmt: skip
    assert re.fullmatch(
        rf"\[  1\] local {ip.h1} port \d+ connected with {ip.h2} port 5001", lines[4]
    )
    assert lines[5] == "[ ID] Interval       Transfer     Bandwidth"
    found = rows(output)
    assert [one[:2] for one in found[:3]] == [
        ("0.0000", "1.0000"), ("1.0000", "2.0000"), ("2.0000", "3.0000"),
    ]  # fmt: skip
    # 100 Mbit/s with 1,448 or 1,428 bytes of data in 1,514 of a frame
    share = 1448 / 1514 if ip.is_v4 else 1428 / 1514
    assert float(found[-1][4]) == pytest.approx(100 * share, rel=0.01)
    seen = rows(server.output)
    assert [one[:2] for one in seen[:2]] == [("0.0000", "1.0000"), ("1.0000", "2.0000")]
    assert float(seen[1][4]) == pytest.approx(100 * share, rel=0.01)
    assert not server.done
    server.stop()
    net.run_for("1s")
    assert server.status == 0


def test_an_amount(net) -> None:
    net["h2"].start("iperf -s")
    (figures,) = rows(net["h1"].cmd("iperf -c 10.0.0.2 -n 1M"))
    assert figures[2:4] == ("1.00", "MBytes")
    assert float(figures[4]) == pytest.approx(95, rel=0.02)


def test_streams_at_once(net) -> None:
    net["h2"].start("iperf -s")
    output = net["h1"].cmd("iperf -c 10.0.0.2 -t 2 -i 1 -P 3")
    assert output.count(" connected with ") == 3
    sums = [one for one in output.splitlines() if one.startswith("[SUM]")]
    assert len(sums) == 3
    assert float(re.findall(ROW, sums[-1])[0][4]) == pytest.approx(95, rel=0.05)


def test_datagrams_of_a_clean_path(net, ip) -> None:
    net["h1"].cmd(f"ping -c 1 {ip.h2}")
    server = net["h2"].start("iperf -s -u")
    output = net["h1"].cmd(f"iperf -c {ip.h2} -u -t 2 -b 8m -l 1000")
    assert "Sending 1000 byte datagrams, IPG target: 1000.00 us (kalman adjust)\n" in output
    assert "[  1] Sent 2000 datagrams\n[  1] Server Report:\n" in output
    clean = (
        r"\[  1\] 0\.0000-\d\.\d{4} sec  1\.91 MBytes  8\.00 Mbits/sec  "
        r"0\.000 ms 0/2000 \(0%\)"
    )
    assert re.fullmatch(clean, output.splitlines()[-1])
    assert re.fullmatch(clean, server.output.splitlines()[-1])


class Hurt:
    """Loses each tenth datagram, and holds each tenth up so that three overtake it."""

    def __init__(self) -> None:
        self._count = 0

    def judge(self, frame, _now):
        if frame.size < 1000:
            return Pass()
        self._count += 1
        if self._count % 10 == 5:
            return Drop(DropReason.LINK_LOSS)
        return Delay(3_500_000) if self._count % 10 == 2 else Pass()


def test_losses_disorder_and_jitter(net) -> None:
    net["h1"].cmd("ping -c 1 10.0.0.2")
    link = net.link("h2--s1")
    link.add_rule(link.ends[1], Hurt())
    server = net["h2"].start("iperf -s -u")
    output = net["h1"].cmd("iperf -c 10.0.0.2 -u -t 1 -b 8m -l 1000")
    server.stop()
    net.run_for("1s")
    for told in (output, server.output):
        assert " ms 100/1000 (10%)\n" in told
        assert re.search(
            r"\[  1\] 0\.0000-\d\.\d{4} sec  100 datagrams received out-of-order", told
        )
        (jitter,) = re.findall(r"([\d.]+) ms 100/", told)
        assert 0.3 < float(jitter) < 1.5


def test_a_server_that_is_silent(net) -> None:
    net["h2"].start("nc -u -l 5001")
    output = net["h1"].cmd("iperf -c 10.0.0.2 -u -t 1")
    assert output.endswith("WARNING: did not receive ack of last datagram after 10 tries.\n")


def test_nobody_listens(net) -> None:
    output = net["h1"].cmd("iperf -c 10.0.0.2")
    assert output.endswith("tcp connect failed: Connection refused\n")
    assert output.status == 1


def test_jitter_is_that_of_the_rfc() -> None:
    one = Datagrams()
    expected = 0.0
    transits = [5 * MS, 7 * MS, 6 * MS, 6 * MS, 9 * MS]
    for n, transit in enumerate(transits, 1):
        one.take(n, n * S, n * S + transit)
        if n > 1:
            expected += (abs(transit - transits[n - 2]) - expected) / 16
    assert one.jitter_ns == pytest.approx(expected)
    assert (one.last, one.lost, one.late) == (5, 0, 0)


def test_numbers_that_are_missing_and_late() -> None:
    one = Datagrams()
    for number in (1, 2, 5, 3, 6, 6, 9):
        one.take(number, 0, 0)
    assert (one.last, one.lost, one.late, one.missing) == (9, 4, 2, 2)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "[  7] 0.0000-1.0000 sec  0.00 Bytes  0.00 bits/sec"),
        (131_072, "[  7] 0.0000-1.0000 sec   128 KBytes  1.05 Mbits/sec"),
        (11_796_480, "[  7] 0.0000-1.0000 sec  11.2 MBytes  94.4 Mbits/sec"),
    ],
)
def test_lines(size: int, text: str) -> None:
    assert row(7, 0, S, size) == text
    assert loss(5000, 3, 893) == "  0.005 ms 3/893 (0.34%)"


def test_reports_survive_the_wire() -> None:
    report = datagram.ServerReport(5 << 32 | 3 << 30, 10 * S + 5000, 3, 2, 893, 1_234_000)
    data = datagram.emit_report(datagram.stamp(-5, S, 100), report)
    assert datagram.parse_report(data) == report
    assert datagram.read(data) == (-5, S)
    for cut in range(len(data)):
        assert datagram.parse_report(data[:cut]) is None
    assert datagram.read(b"short") is None


def test_a_connection_that_breaks_is_told(net) -> None:
    net["h2"].start("iperf -s")
    job = net["h1"].start("iperf -c 10.0.0.2 -t 5")
    net.run_for("1s")
    net.faults.crash("h2")
    net.run_for("1s")
    net.faults.restart("h2")
    net.run_for("10s")
    assert "write failed: Connection reset by peer" in job.output
    assert " 11.4 MBytes " in job.output.splitlines()[-1]  # what a second of 100 Mbit/s carries
    assert job.status == 1
