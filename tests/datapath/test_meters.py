"""Meters: exact in virtual time, counted, and refused as 7.3.4.4 says (OpenFlow 1.3.5, 5.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from sdnvirt.datapath.flow import Loss
from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.datapath.meters import MAX_BANDS, LiveBand
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.actions import Output, PushVlan
from sdnvirt.openflow.v13.constants import OFPFF, OFPM, OFPMC, OFPMF, OFPRR
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable, Meter, WriteActions
from sdnvirt.openflow.v13.meters import Band, DropBand, DscpRemarkBand, ExperimenterBand, MeterMod

S = 1_000_000_000
MS = 1_000_000
FRAME = b"\x02" * 12 + b"\x88\xb5" + bytes(111)  # 125 bytes, 1,000 bits
BURST = OFPMF.BURST


def meter(driver: Any, *bands: Band, flags: int = OFPMF.KBPS, meter_id: int = 1) -> None:
    driver.datapath.modify_meter(MeterMod(OFPMC.ADD, flags, meter_id, bands), driver.now)


def metered(driver: Any, *bands: Band, flags: int = OFPMF.KBPS) -> None:
    """Let one entry send everything through a meter and out of port 2."""
    meter(driver, *bands, flags=flags)
    driver.mod(Meter(1), ApplyActions((Output(2),)))


def passes(driver: Any, now: int, data: bytes = FRAME) -> bool:
    """Whether a packet that comes at this time leaves by port 2."""
    driver.now = now
    ((target, _),) = driver.send(data)
    return bool(target == 2)


def delete(driver: Any, meter_id: int) -> list[Removal]:
    return driver.datapath.modify_meter(MeterMod(OFPMC.DELETE, 0, meter_id), driver.now)


# rates and bursts


def test_a_rate_in_kilobits_is_kept_to_the_nanosecond(driver: Any) -> None:
    """10 kbit/s are ten frames of 1,000 bits a second: one for each 100 ms."""
    metered(driver, DropBand(10, burst_size=1), flags=OFPMF.KBPS | BURST)
    assert passes(driver, 0)  # the bucket begins full
    assert not passes(driver, 100 * MS - 1)
    assert passes(driver, 100 * MS)
    assert not passes(driver, 100 * MS)
    assert passes(driver, 200 * MS)


def test_a_rate_in_packets_does_not_mind_their_size(driver: Any) -> None:
    metered(driver, DropBand(4, burst_size=1), flags=OFPMF.PKTPS | BURST)
    assert passes(driver, 0, FRAME + bytes(1300))
    assert not passes(driver, 250 * MS - 1, FRAME[:60])
    assert passes(driver, 250 * MS, FRAME[:60])


def test_the_burst_is_what_may_come_at_once(driver: Any) -> None:
    metered(driver, DropBand(10, burst_size=5), flags=OFPMF.KBPS | BURST)
    assert [passes(driver, 0) for _ in range(6)] == [True] * 5 + [False]
    assert [passes(driver, 10 * S) for _ in range(6)] == [True] * 5 + [False]


def test_a_rate_without_a_burst_lets_a_full_frame_pass(driver: Any) -> None:
    metered(driver, DropBand(1))
    assert passes(driver, 0, FRAME + bytes(1514 - len(FRAME)))
    assert not passes(driver, 0)


def test_without_units_a_rate_is_in_kilobits(driver: Any) -> None:
    metered(driver, DropBand(10, burst_size=1), flags=BURST)
    assert passes(driver, 0)
    assert passes(driver, 100 * MS)


@given(
    st.integers(1, 10**6),
    st.integers(0, 100),
    st.lists(st.tuples(st.integers(0, 10 * MS), st.integers(1, 1514)), max_size=60),
)
def test_never_more_passes_than_rate_and_burst_allow(
    rate: int, burst: int, arrivals: list[tuple[int, int]]
) -> None:
    band = LiveBand(DropBand(rate, burst_size=burst), BURST, 0)
    capacity = burst * 1000 * S or max(1514 * 8 * S, rate * 1000 * (S // 10))
    now, passed = 0, 0
    for gap, size in arrivals:
        now += gap
        if band.takes(size * 8, now):
            passed += size * 8 * S
        assert passed <= capacity + rate * 1000 * now


# bands


@pytest.mark.parametrize("layers", [IP(tos=18 << 2 | 1), IPv6(tc=18 << 2 | 1)])
@pytest.mark.parametrize("tags", [0, 1])
@pytest.mark.parametrize(("level", "dscp"), [(1, 20), (2, 22)])
def test_remarking_raises_the_drop_precedence(
    driver: Any, layers: Any, tags: int, level: int, dscp: int
) -> None:
    """AF21 becomes AF22 or AF23; the bits of ECN stay, and so do the checksums right."""
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    data = bytes((ether / Dot1Q(vlan=5) if tags else ether) / layers / UDP() / bytes(60))
    band = DscpRemarkBand(1, burst_size=1, prec_level=level)
    metered(driver, band, flags=OFPMF.PKTPS | BURST)
    assert driver.send(data) == [(2, data)]
    ((port, marked),) = driver.send(data)
    packet = Ether(marked)
    assert port == 2
    kind = type(layers)
    traffic_class = packet[kind].tos if kind is IP else packet[kind].tc
    assert traffic_class == dscp << 2 | 1
    if kind is IP:
        right = packet[IP].chksum
        del packet[IP].chksum
        assert Ether(bytes(packet))[IP].chksum == right


def test_what_has_no_drop_precedence_passes_as_it_is(driver: Any) -> None:
    metered(driver, DscpRemarkBand(1, burst_size=1, prec_level=1), flags=OFPMF.PKTPS | BURST)
    best_effort = bytes(Ether() / IP(tos=0) / UDP())
    for data in (FRAME, FRAME, best_effort):
        assert driver.send(data) == [(2, data)]


def test_the_band_of_highest_rate_exceeded_is_applied(driver: Any) -> None:
    """5.7: remarked above one packet a second, dropped above three."""
    data = bytes(Ether() / IP(tos=18 << 2) / UDP())
    bands = DropBand(3, burst_size=3), DscpRemarkBand(1, burst_size=1, prec_level=1)
    metered(driver, *bands, flags=OFPMF.PKTPS | BURST)
    sent = [driver.send(data)[0] for _ in range(5)]
    assert [target for target, _ in sent[:3]] == [2, 2, 2]
    assert [bytes_ == data for _, bytes_ in sent[:3]] == [True, False, False]
    assert all(isinstance(target, Loss) for target, _ in sent[3:])
    dropping, remarking = driver.datapath.state.meters[1].bands
    assert (dropping.tally.packets, remarking.tally.packets) == (2, 2)


def test_a_meter_without_bands_only_counts(driver: Any) -> None:
    metered(driver)
    assert [passes(driver, 0) for _ in range(3)] == [True] * 3
    tally = driver.datapath.state.meters[1].tally
    assert (tally.packets, tally.bytes) == (3, 3 * len(FRAME))


# meters and the pipeline


def test_what_a_meter_drops_says_so(driver: Any) -> None:
    metered(driver, DropBand(1, burst_size=1), flags=OFPMF.PKTPS | BURST)
    driver.send(FRAME)
    ((loss, data),) = driver.send(FRAME)
    assert loss == Loss(DropReason.METERED, "meter 1, band of rate 1")
    assert data == FRAME


def test_what_was_sent_before_the_meter_stays_sent(driver: Any) -> None:
    meter(driver, DropBand(1, burst_size=1), flags=OFPMF.PKTPS | BURST)
    driver.mod(ApplyActions((Output(3),)), GotoTable(1))
    driver.mod(Meter(1), WriteActions((Output(2),)), table_id=1)
    assert [target for target, _ in driver.send(FRAME)] == [3, 2]
    first, second = driver.send(FRAME)
    assert first == (3, FRAME)
    assert isinstance(second[0], Loss)


def test_a_meter_comes_before_the_other_instructions_of_its_entry(driver: Any) -> None:
    meter(driver)
    driver.mod(ApplyActions((PushVlan(0x8100), Output(2))), Meter(1))
    driver.send(FRAME)
    assert driver.datapath.state.meters[1].tally.bytes == len(FRAME)


def test_flows_share_a_meter(driver: Any) -> None:
    metered(driver, DropBand(1, burst_size=1), flags=OFPMF.PKTPS | BURST)
    assert passes(driver, 0)
    assert not passes(driver, 0, FRAME[:6] + b"\x04" * 6 + FRAME[12:])


def test_a_dropped_packet_has_matched_its_entry(driver: Any) -> None:
    metered(driver, DropBand(1, burst_size=1), flags=OFPMF.PKTPS | BURST)
    for _ in range(3):
        driver.send(FRAME)
    assert driver.counters() == [(0x8000, 3, 3 * len(FRAME))]


def test_an_explanation_takes_nothing_out_of_a_bucket(driver: Any) -> None:
    metered(driver, DropBand(1, burst_size=1), flags=OFPMF.PKTPS | BURST)
    for _ in range(3):
        assert driver.datapath.explain(1, Frame(FRAME))[-1] == "to port 2"
    assert passes(driver, 0)


def test_an_explanation_tells_what_the_meter_does_now(driver: Any) -> None:
    metered(driver, DropBand(1, burst_size=1), flags=OFPMF.PKTPS | BURST)

    def ends(now: int) -> list[str]:
        told: list[str] = driver.datapath.explain(1, Frame(FRAME), now=now)
        return told[-2:]

    for _ in range(2):
        assert ends(0) == ["meter 1 lets it pass, as it stands now", "to port 2"]
    assert passes(driver, 0)
    assert ends(0) == [
        "meter 1 applies its band 0, as it stands now: drop, over 1 packets/s",
        f"to nowhere: {DropReason.METERED.value}",
    ]
    assert ends(10**9) == ["meter 1 lets it pass, as it stands now", "to port 2"]
    assert passes(driver, 10**9)


# meter mods (6.6)


def test_a_changed_meter_has_new_bands_and_counts_on(driver: Any) -> None:
    metered(driver, DropBand(1, burst_size=1), flags=OFPMF.PKTPS | BURST)
    assert [passes(driver, 0), passes(driver, 0)] == [True, False]
    bands = (DropBand(1, burst_size=2),)
    flags = OFPMF.PKTPS | BURST
    driver.datapath.modify_meter(MeterMod(OFPMC.MODIFY, flags, 1, bands), 7)
    changed = driver.datapath.state.meters[1]
    assert [passes(driver, 7) for _ in range(3)] == [True, True, False]
    assert (changed.tally.packets, changed.bands[0].tally.packets) == (5, 1)
    assert changed.created_ns == 0


def test_a_meter_that_is_deleted_takes_its_entries_along(driver: Any) -> None:
    for number in (1, 2):
        meter(driver, meter_id=number)
        driver.mod(Meter(number), priority=number, flags=OFPFF.SEND_FLOW_REM)
    driver.mod(Meter(1), table_id=4)
    assert driver.datapath.users_of_meters() == {1: 2, 2: 1}
    (removal,) = delete(driver, 1)
    assert (removal.entry.priority, removal.reason) == (1, OFPRR.DELETE)
    assert driver.counters() == [(2, 0, 0)]
    assert delete(driver, 1) == []
    assert [removal.entry.priority for removal in delete(driver, OFPM.ALL)] == [2]


@pytest.mark.parametrize(
    ("mod", "answer"),
    [
        (MeterMod(OFPMC.ADD, 0, 7), "METER_EXISTS"),
        (MeterMod(OFPMC.MODIFY, 0, 1), "UNKNOWN_METER"),
        (MeterMod(OFPMC.ADD, 0, 0), "INVALID_METER"),
        (MeterMod(OFPMC.ADD, 0, OFPM.MAX + 1), "INVALID_METER"),
        (MeterMod(OFPMC.ADD, 0, OFPM.CONTROLLER), "INVALID_METER"),
        (MeterMod(OFPMC.ADD, 0, OFPM.ALL), "INVALID_METER"),
        (MeterMod(OFPMC.MODIFY, 0, OFPM.ALL), "UNKNOWN_METER"),
        (MeterMod(OFPMC.ADD, OFPMF.KBPS | OFPMF.PKTPS, 1), "BAD_FLAGS"),
        (MeterMod(OFPMC.ADD, 0, 1, (DropBand(0),)), "BAD_RATE"),
        (MeterMod(OFPMC.ADD, 0, 1, (DropBand(1),) * (MAX_BANDS + 1)), "OUT_OF_BANDS"),
        (MeterMod(OFPMC.ADD, 0, 1, (DscpRemarkBand(1, prec_level=0),)), "BAD_BAND_VALUE"),
        (MeterMod(OFPMC.ADD, 0, 1, (DscpRemarkBand(1, prec_level=3),)), "BAD_BAND_VALUE"),
        (MeterMod(OFPMC.ADD, 0, 1, (ExperimenterBand(1, 0, 5),)), "BAD_BAND"),
    ],
)
def test_what_a_meter_mod_cannot_have_is_refused(driver: Any, mod: MeterMod, answer: str) -> None:
    meter(driver, meter_id=7)
    with pytest.raises(OpenFlowError) as caught:
        driver.datapath.modify_meter(mod, 0)
    name = error_name(caught.value.error_type, caught.value.code)
    assert name == f"METER_MOD_FAILED/{answer}"
    assert [one.meter_id for one in driver.datapath.state.meters] == [7]


def test_an_entry_cannot_name_a_meter_that_is_not_there(driver: Any) -> None:
    """6.4: of a meter that is not defined, the error is METER_MOD_FAILED / UNKNOWN_METER."""
    with pytest.raises(OpenFlowError) as caught:
        driver.mod(Meter(1))
    name = error_name(caught.value.error_type, caught.value.code)
    assert name == "METER_MOD_FAILED/UNKNOWN_METER"
