"""The DHCP client as a machine, against answers written by hand (RFC 2131, figure 5)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from sdnvirt.addresses import ANY_IPV4, BROADCAST_IPV4, Ipv4, Mac
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.errors import WireError
from sdnvirt.host.dhcp_client import BACKOFF_S, Configure, Deconfigure, DhcpClient, Send
from sdnvirt.host.dhcp_states import (
    FOREVER_S,
    TRANSITIONS,
    Bound,
    Init,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
)
from sdnvirt.wire.dhcpv4 import BootpOp, DhcpMessageType, Dhcpv4
from sdnvirt.wire.dhcpv4_options import OptionCode, encode_options

MAC = Mac("02:00:00:00:00:01")
SERVER, OTHER = Ipv4("10.0.0.254"), Ipv4("10.0.0.253")
ADDRESS = Ipv4("10.0.0.7")
S = 10**9


def client(**options) -> DhcpClient:
    return DhcpClient(MAC, Random(1), **options)


def reply(to: Dhcpv4, kind: DhcpMessageType, address: Ipv4 = ADDRESS, **values) -> Dhcpv4:
    options = {
        OptionCode.MESSAGE_TYPE: kind,
        OptionCode.SERVER_ID: SERVER,
        OptionCode.LEASE_TIME: 1000,
        OptionCode.SUBNET_MASK: Ipv4("255.255.255.0"),
        **{OptionCode[name]: value for name, value in values.items()},
    }
    present = {code: value for code, value in options.items() if value is not None}
    return Dhcpv4(
        BootpOp.REPLY, to.xid, to.chaddr, yiaddr=address, options=encode_options(present)
    )  # fmt: skip


def bound(machine: DhcpClient, now: int = 0, **values) -> Bound:
    """Take the client from INIT to BOUND, all at one time."""
    [discover] = machine.start(now)
    [request] = machine.receive(reply(discover.message, DhcpMessageType.OFFER, **values), now)
    machine.receive(reply(request.message, DhcpMessageType.ACK, **values), now)
    assert isinstance(machine.state, Bound)
    return machine.state


def test_discover_offer_request_ack() -> None:
    machine = client()
    [discover] = machine.start(0)
    assert isinstance(machine.state, Selecting)
    assert discover.dst == BROADCAST_IPV4
    assert discover.message.message_type == DhcpMessageType.DISCOVER
    assert discover.message.ciaddr == ANY_IPV4

    [request] = machine.receive(reply(discover.message, DhcpMessageType.OFFER), 5)
    assert isinstance(machine.state, Requesting)
    assert request.dst == BROADCAST_IPV4
    assert request.message.xid == discover.message.xid
    assert request.message.secs == discover.message.secs
    assert request.message.requested_address == ADDRESS
    assert request.message.server_id == SERVER

    given = {"ROUTER": (SERVER,), "DNS_SERVER": (OTHER,), "INTERFACE_MTU": 1450}
    [configure] = machine.receive(reply(request.message, DhcpMessageType.ACK, **given), 9)
    lease = configure.lease
    assert machine.lease is lease
    assert lease.address == IPv4Interface("10.0.0.7/24")
    assert (lease.server, lease.routers, lease.dns_servers) == (SERVER, (SERVER,), (OTHER,))
    assert lease.mtu == 1450
    # Times count from when the request was sent, not from the answer (section 4.4.1).
    assert (lease.renew_ns, lease.rebind_ns, lease.expire_ns) == (
        5 + 500 * S, 5 + 875 * S, 5 + 1000 * S,
    )  # fmt: skip


def test_repetitions_back_off_with_jitter() -> None:
    machine = client()
    machine.start(0)
    sent = [0]
    while len(sent) < 8:
        now = machine.next_timeout()
        [again] = machine.tick(now)
        assert again.message.secs == now // S
        sent.append(now)
    delays = [later - earlier for earlier, later in pairwise(sent)]
    expected = [*BACKOFF_S, 64, 64]
    assert all(abs(delay - s * S) <= S for delay, s in zip(delays, expected, strict=True))
    assert len(set(delays)) == len(delays)


def test_an_offer_that_is_never_confirmed_is_given_up_after_a_minute() -> None:
    machine = client()
    [discover] = machine.start(0)
    machine.receive(reply(discover.message, DhcpMessageType.OFFER), 0)
    requests = 0
    while isinstance(machine.state, Requesting):
        now = machine.next_timeout()
        [sent] = machine.tick(now)
        requests += sent.message.message_type == DhcpMessageType.REQUEST
    assert requests == 3  # and one at the beginning
    assert 56 * S <= now <= 64 * S
    assert sent.message.message_type == DhcpMessageType.DISCOVER


def test_a_refusal_begins_all_over_after_a_pause() -> None:
    machine = client()
    [discover] = machine.start(0)
    [request] = machine.receive(reply(discover.message, DhcpMessageType.OFFER), 0)
    nak = reply(request.message, DhcpMessageType.NAK)
    assert machine.receive(nak, 10) == []
    assert isinstance(machine.state, Init)
    [again] = machine.tick(machine.next_timeout())
    assert again.message.message_type == DhcpMessageType.DISCOVER
    assert again.message.xid != discover.message.xid


def test_another_servers_refusal_does_not_count() -> None:
    machine = client()
    [discover] = machine.start(0)
    [request] = machine.receive(reply(discover.message, DhcpMessageType.OFFER), 0)
    machine.receive(reply(request.message, DhcpMessageType.NAK, SERVER_ID=OTHER), 0)
    assert isinstance(machine.state, Requesting)


def test_renewing_asks_the_server_and_rebinding_asks_all() -> None:
    machine = client()
    lease = bound(machine).lease
    assert machine.next_timeout() == lease.renew_ns
    [renew] = machine.tick(lease.renew_ns)
    assert isinstance(machine.state, Renewing)
    assert (renew.dst, renew.message.ciaddr) == (SERVER, ADDRESS)
    assert renew.message.requested_address is None
    assert renew.message.server_id is None
    while machine.next_timeout() < lease.rebind_ns:
        assert machine.tick(machine.next_timeout())[0].dst == SERVER
    [rebind] = machine.tick(lease.rebind_ns)
    assert isinstance(machine.state, Rebinding)
    assert (rebind.dst, rebind.message.ciaddr) == (BROADCAST_IPV4, ADDRESS)
    while machine.next_timeout() < lease.expire_ns:
        machine.tick(machine.next_timeout())
    expired, begin = machine.tick(lease.expire_ns)
    assert expired == Deconfigure()
    assert begin.message.message_type == DhcpMessageType.DISCOVER


def test_repeated_renewals_wait_for_half_of_what_is_left() -> None:
    machine = client()
    lease = bound(machine, LEASE_TIME=80_000).lease
    machine.tick(lease.renew_ns)
    first = machine.next_timeout()
    assert first == (lease.renew_ns + lease.rebind_ns) // 2
    machine.tick(first)
    assert machine.next_timeout() == (first + lease.rebind_ns) // 2


@pytest.mark.parametrize("state", [Renewing, Rebinding])
def test_a_lease_is_prolonged(state) -> None:
    machine = client()
    lease = bound(machine).lease
    now = lease.renew_ns if state is Renewing else lease.rebind_ns
    machine.tick(lease.renew_ns)
    [sent] = machine.tick(now) or [Send(machine_request(machine), SERVER)]
    assert isinstance(machine.state, state)
    [configure] = machine.receive(reply(sent.message, DhcpMessageType.ACK), now + 5)
    assert isinstance(configure, Configure)
    assert configure.lease.expire_ns == now + 1000 * S


def machine_request(machine: DhcpClient) -> Dhcpv4:
    """A message with the transaction of the client's present exchange."""
    return Dhcpv4(BootpOp.REQUEST, machine.state.exchange.xid, MAC)


def test_a_server_may_move_a_client_to_another_address() -> None:
    machine = client()
    lease = bound(machine).lease
    [sent] = machine.tick(lease.renew_ns)
    ack = reply(sent.message, DhcpMessageType.ACK, Ipv4("10.0.0.8"))
    gone, come = machine.receive(ack, lease.renew_ns)
    assert gone == Deconfigure()
    assert come.lease.ip == Ipv4("10.0.0.8")


def test_a_refused_renewal_takes_the_address_away_at_once() -> None:
    machine = client()
    lease = bound(machine).lease
    [sent] = machine.tick(lease.renew_ns)
    nak = reply(sent.message, DhcpMessageType.NAK)
    assert machine.receive(nak, lease.renew_ns) == [Deconfigure()]
    assert machine.lease is None


def test_a_remembered_address_is_asked_for_first() -> None:
    machine = client()
    [request] = machine.start(0, previous=ADDRESS)
    assert isinstance(machine.state, Rebooting)
    assert request.message.requested_address == ADDRESS
    assert request.message.server_id is None
    assert request.message.ciaddr == ANY_IPV4
    machine.receive(reply(request.message, DhcpMessageType.ACK), 0)
    assert isinstance(machine.state, Bound)


def test_a_remembered_address_that_is_refused_is_forgotten() -> None:
    machine = client()
    [request] = machine.start(0, previous=ADDRESS)
    machine.receive(reply(request.message, DhcpMessageType.NAK), 0)
    [discover] = machine.tick(machine.next_timeout())
    assert discover.message.message_type == DhcpMessageType.DISCOVER


def test_an_endless_lease_is_never_renewed() -> None:
    machine = client()
    bound(machine, LEASE_TIME=FOREVER_S)
    assert machine.next_timeout() == NEVER


@pytest.mark.parametrize("times", [(600, 500), (0, 500), (500, 1000), (None, 500)])
def test_times_that_make_no_sense_are_replaced(times) -> None:
    lease = bound(client(), RENEWAL_TIME=times[0], REBINDING_TIME=times[1]).lease
    assert (lease.renew_ns, lease.rebind_ns) == (500 * S, 875 * S)


@pytest.mark.parametrize(
    ("address", "values"),
    [
        (ANY_IPV4, {}),
        (BROADCAST_IPV4, {}),
        (Ipv4("224.0.0.1"), {}),
        (ADDRESS, {"LEASE_TIME": None}),
        (ADDRESS, {"LEASE_TIME": 0}),
        (ADDRESS, {"SERVER_ID": None}),
        (ADDRESS, {"SUBNET_MASK": Ipv4("255.0.255.0")}),
    ],
)
def test_useless_offers_are_ignored(address, values) -> None:
    machine = client()
    [discover] = machine.start(0)
    assert (
        machine.receive(reply(discover.message, DhcpMessageType.OFFER, address, **values), 0) == []
    )
    assert isinstance(machine.state, Selecting)


def test_messages_for_others_are_ignored() -> None:
    machine = client()
    [discover] = machine.start(0)
    offer = reply(discover.message, DhcpMessageType.OFFER)
    for other in (
        replace(offer, xid=offer.xid ^ 1),
        replace(offer, chaddr=Mac("02:00:00:00:00:99")),
        replace(offer, op=BootpOp.REQUEST),
        reply(discover.message, DhcpMessageType.ACK),
        reply(discover.message, DhcpMessageType.NAK),
    ):
        assert machine.receive(other, 0) == []
        assert isinstance(machine.state, Selecting)


def test_a_release_gives_the_address_back() -> None:
    machine = client(client_id=b"\1abc")
    bound(machine)
    sent, gone = machine.release(5)
    assert sent.dst == SERVER
    assert sent.message.message_type == DhcpMessageType.RELEASE
    assert (sent.message.ciaddr, sent.message.server_id) == (ADDRESS, SERVER)
    assert sent.message.client_id == b"\1abc"
    assert gone == Deconfigure()
    assert machine.next_timeout() == NEVER


def test_scapy_reads_a_discover() -> None:
    [discover] = client(broadcast=True, hostname="vm1").start(0)
    read = BOOTP(discover.message.emit())
    assert (read.op, read.chaddr[:6], int(read.flags)) == (1, bytes(MAC), 0x8000)
    options = dict(option[:2] for option in read[DHCP].options if isinstance(option, tuple))
    assert options["message-type"] == 1
    assert options["hostname"] == b"vm1"
    assert options["param_req_list"][:2] == [1, 3]


def test_every_state_can_be_entered_and_left() -> None:
    states = {Init, Selecting, Requesting, Rebooting, Bound, Renewing, Rebinding}
    assert {before for before, _ in TRANSITIONS} == states
    assert set(TRANSITIONS.values()) == states


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(list(DhcpMessageType)), st.data()), max_size=12))
def test_no_sequence_of_answers_breaks_the_client(answers) -> None:
    machine = client()
    now = 0
    effects = machine.start(now)
    for kind, draw in answers:
        sent = [effect.message for effect in effects if isinstance(effect, Send)]
        to = sent[-1] if sent else Dhcpv4(BootpOp.REQUEST, 0, MAC)
        values = {"LEASE_TIME": draw.draw(st.integers(0, 0xFFFFFFFF))}
        effects = machine.receive(reply(to, kind, **values), now)
        if draw.draw(st.booleans()) and machine.next_timeout() != NEVER:
            now = machine.next_timeout()
            effects = machine.tick(now)
        # Only a lease that took long to come may have times that have passed already.
        assert machine.next_timeout() > now or isinstance(machine.state, (Init, Bound))
        assert machine.lease is None or machine.lease.expire_ns > now


def test_a_lease_that_is_over_when_it_comes_is_not_taken() -> None:
    machine = client()
    [discover] = machine.start(0)
    [request] = machine.receive(reply(discover.message, DhcpMessageType.OFFER), 0)
    late = reply(request.message, DhcpMessageType.ACK, LEASE_TIME=1)
    assert machine.receive(late, S) == []
    [configure] = machine.receive(late, S - 1)
    assert configure.lease.expire_ns == S
    assert machine.next_timeout() == S // 2  # in the past: the owner ticks at once


@settings(max_examples=60)
@given(st.binary(min_size=240, max_size=400))
def test_only_wire_errors_come_from_rubbish(data: bytes) -> None:
    machine = client()
    machine.start(0)
    try:
        message = Dhcpv4.parse(data)
    except WireError:
        return
    machine.receive(message, 0)
