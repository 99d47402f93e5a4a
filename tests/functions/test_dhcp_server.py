"""The DHCP server as a machine: by hand, and against our own client, in virtual time."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from sdnvirt.addresses import ANY_IPV4, BROADCAST, BROADCAST_IPV4, Ipv4, Mac
from sdnvirt.functions import dhcp_leases
from sdnvirt.functions.dhcp_leases import DECLINE_HOLD_NS, OFFER_HOLD_NS
from sdnvirt.functions.dhcp_server import DhcpConfig, DhcpServer, Outcome
from sdnvirt.host.dhcp_client import DhcpClient, Send
from sdnvirt.wire.dhcpv4 import BootpOp, DhcpMessageType, Dhcpv4
from sdnvirt.wire.dhcpv4_options import OptionCode, encode_options

SERVER, ROUTER, OTHER = Ipv4("10.0.0.254"), Ipv4("10.0.0.1"), Ipv4("10.0.0.253")
KNOWN, STRANGER, SECOND = Mac(0x020000000001), Mac(0x020000000002), Mac(0x020000000003)
RESERVED, FIRST = Ipv4("10.0.0.7"), Ipv4("10.0.0.100")
S = 10**9
D = DhcpMessageType

CONFIG = DhcpConfig(
    server=SERVER, subnet=IPv4Network("10.0.0.0/24"), lease_s=1000,
    reservations={KNOWN: RESERVED}, pool=(FIRST, Ipv4("10.0.0.101")),
    routers=(ROUTER,), dns_servers=(Ipv4("10.0.0.53"),), domain="acme.example", mtu=1450,
)  # fmt: skip


def ask(kind: DhcpMessageType, mac: Mac = KNOWN, **values) -> Dhcpv4:
    """Return a client's message; lower-case names are fields, upper-case ones options."""
    fields = {name: value for name, value in values.items() if name.islower()}
    options = {OptionCode[name]: value for name, value in values.items() if name.isupper()}
    options = encode_options({OptionCode.MESSAGE_TYPE: kind, **options})
    return Dhcpv4(BootpOp.REQUEST, 77, mac, options=options, **fields)


def lease(server: DhcpServer, mac: Mac, now: int = 0, **values) -> Ipv4:
    """Take a client through the whole exchange; return its address."""
    offer = server.handle(ask(D.DISCOVER, mac, **values), now).message
    request = ask(D.REQUEST, mac, REQUESTED_ADDRESS=offer.yiaddr, SERVER_ID=SERVER, **values)
    ack = server.handle(request, now).message
    assert ack.message_type == D.ACK
    return ack.yiaddr


def kind_of(answer) -> DhcpMessageType | None:
    return answer and answer.message.message_type


class TestOffers:
    def test_a_known_client_is_offered_its_reserved_address(self) -> None:
        answer = DhcpServer(CONFIG).handle(ask(D.DISCOVER), 0)
        offer = answer.message
        assert offer.message_type == D.OFFER
        assert (offer.yiaddr, offer.server_id, offer.xid) == (RESERVED, SERVER, 77)
        assert (offer.lease_time_s, offer.renewal_time_s, offer.rebinding_time_s) == (
            1000, 500, 875,
        )  # fmt: skip
        assert (offer.routers, offer.interface_mtu) == ((ROUTER,), 1450)
        assert offer.domain_name == "acme.example"

    def test_others_get_addresses_of_the_pool_until_there_are_none(self) -> None:
        server = DhcpServer(CONFIG)
        addresses = [server.handle(ask(D.DISCOVER, Mac(n)), 0) for n in range(0x10, 0x13)]
        assert [answer and str(answer.message.yiaddr) for answer in addresses] == [
            "10.0.0.100", "10.0.0.101", None,
        ]  # fmt: skip
        assert server.outcomes == {Outcome.OFFERED: 2, Outcome.EXHAUSTED: 1}
        # Offers that nobody took are free again.
        late = server.handle(ask(D.DISCOVER, Mac(0x12)), OFFER_HOLD_NS)
        assert str(late.message.yiaddr) == "10.0.0.100"

    def test_a_server_that_crashes_loses_its_offers_and_keeps_its_leases(self) -> None:
        server = DhcpServer(CONFIG)
        leased = lease(server, STRANGER)
        offered = server.handle(ask(D.DISCOVER, SECOND), 0).message.yiaddr
        assert server.handle(ask(D.DISCOVER, Mac(0x10)), 0) is None  # there are just these two
        server.crash()
        assert list(server.leases()) == [leased]
        other = server.handle(ask(D.DISCOVER, Mac(0x10)), 0)
        assert other.message.yiaddr == offered
        assert lease(server, STRANGER) == leased

    def test_a_server_without_a_pool_serves_nobody_else(self) -> None:
        server = DhcpServer(replace(CONFIG, pool=None))
        assert server.handle(ask(D.DISCOVER, STRANGER), 0) is None

    def test_a_client_gets_the_same_address_again(self) -> None:
        server = DhcpServer(CONFIG)
        first = lease(server, STRANGER)
        long_after = 10_000 * S
        assert lease(server, STRANGER, long_after) == first
        assert server.leases() == {first: long_after + 1000 * S}

    def test_a_client_gets_the_address_it_wants_if_that_is_free(self) -> None:
        server = DhcpServer(CONFIG)
        wish = Ipv4("10.0.0.101")
        first = server.handle(ask(D.DISCOVER, STRANGER, REQUESTED_ADDRESS=wish), 0)
        second = server.handle(ask(D.DISCOVER, SECOND, REQUESTED_ADDRESS=wish), 0)
        assert [first.message.yiaddr, second.message.yiaddr] == [wish, FIRST]

    @pytest.mark.parametrize("wish", [RESERVED, SERVER, Ipv4("192.0.2.1")])
    def test_wishes_outside_the_pool_are_not_granted(self, wish: Ipv4) -> None:
        answer = DhcpServer(CONFIG).handle(ask(D.DISCOVER, STRANGER, REQUESTED_ADDRESS=wish), 0)
        assert answer.message.yiaddr == FIRST

    def test_the_identifier_counts_more_than_the_mac_address(self) -> None:
        server = DhcpServer(CONFIG)
        one = lease(server, STRANGER, CLIENT_ID=b"\0box")
        assert lease(server, SECOND, CLIENT_ID=b"\0box") == one
        assert lease(server, SECOND) != one

    def test_an_identifier_cannot_pass_for_a_mac_address(self) -> None:
        server = DhcpServer(CONFIG)
        one = lease(server, STRANGER)
        assert lease(server, SECOND, CLIENT_ID=bytes(STRANGER)) != one

    def test_addresses_in_use_are_not_in_the_pool(self) -> None:
        config = replace(CONFIG, pool=(Ipv4("10.0.0.0"), Ipv4("10.0.0.2")), reservations={})
        assert lease(DhcpServer(config), STRANGER) == Ipv4("10.0.0.2")


class TestRequests:
    def test_selecting_another_server_frees_the_offer(self) -> None:
        server = DhcpServer(CONFIG)
        server.handle(ask(D.DISCOVER, STRANGER), 0)
        request = ask(D.REQUEST, STRANGER, REQUESTED_ADDRESS=FIRST, SERVER_ID=OTHER)
        assert server.handle(request, 0) is None
        assert server.outcomes[Outcome.OTHER_SERVER] == 1
        assert {lease(server, Mac(n)) for n in (5, 6)} == {FIRST, Ipv4("10.0.0.101")}

    def test_selecting_what_was_not_offered_is_refused(self) -> None:
        server = DhcpServer(CONFIG)
        request = ask(D.REQUEST, REQUESTED_ADDRESS=Ipv4("10.0.0.8"), SERVER_ID=SERVER)
        answer = server.handle(request, 0)
        assert kind_of(answer) == D.NAK
        assert (answer.dst, answer.mac) == (BROADCAST_IPV4, BROADCAST)
        assert answer.message.yiaddr == ANY_IPV4

    def test_rebooting_with_the_right_address(self) -> None:
        answer = DhcpServer(CONFIG).handle(ask(D.REQUEST, REQUESTED_ADDRESS=RESERVED), 0)
        assert kind_of(answer) == D.ACK

    @pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.8"])
    def test_rebooting_with_a_wrong_address_is_refused(self, address: str) -> None:
        request = ask(D.REQUEST, REQUESTED_ADDRESS=Ipv4(address))
        assert kind_of(DhcpServer(CONFIG).handle(request, 0)) == D.NAK

    def test_rebooting_of_a_client_that_is_not_on_record_stays_unanswered(self) -> None:
        server = DhcpServer(CONFIG)
        assert server.handle(ask(D.REQUEST, STRANGER, REQUESTED_ADDRESS=FIRST), 0) is None
        assert server.outcomes == {Outcome.UNKNOWN_CLIENT: 1}

    def test_renewing_prolongs_the_lease_and_is_answered_by_unicast(self) -> None:
        server = DhcpServer(CONFIG)
        lease(server, STRANGER)
        answer = server.handle(ask(D.REQUEST, STRANGER, ciaddr=FIRST), 500 * S)
        assert kind_of(answer) == D.ACK
        assert (answer.dst, answer.mac, answer.port) == (FIRST, None, 68)
        assert answer.message.ciaddr == answer.message.yiaddr == FIRST
        assert server.leases() == {FIRST: 1500 * S}

    def test_renewing_anothers_address_is_refused(self) -> None:
        server = DhcpServer(CONFIG)
        lease(server, STRANGER)
        assert kind_of(server.handle(ask(D.REQUEST, KNOWN, ciaddr=FIRST), 0)) == D.NAK
        assert server.leases() == {FIRST: 1000 * S}

    @pytest.mark.parametrize(
        "message",
        [
            ask(D.REQUEST),
            ask(D.REQUEST, SERVER_ID=SERVER),
            ask(D.REQUEST, SERVER_ID=SERVER, REQUESTED_ADDRESS=RESERVED, ciaddr=RESERVED),
            ask(D.REQUEST, REQUESTED_ADDRESS=RESERVED, ciaddr=RESERVED),
            ask(D.OFFER),
            ask(D.DISCOVER, BROADCAST),
            ask(D.DISCOVER, CLIENT_ID=b"x"),
            ask(D.DISCOVER, CLIENT_ID=bytes(256)),
            replace(ask(D.DISCOVER), op=BootpOp.REPLY),
            Dhcpv4(BootpOp.REQUEST, 1, KNOWN),
        ],
    )
    def test_nonsense_is_ignored(self, message: Dhcpv4) -> None:
        server = DhcpServer(CONFIG)
        assert server.handle(message, 0) is None
        assert server.outcomes == {Outcome.NONSENSE: 1}


class TestEnds:
    def test_a_released_address_is_free(self) -> None:
        server = DhcpServer(CONFIG)
        lease(server, STRANGER)
        assert server.handle(ask(D.RELEASE, STRANGER, ciaddr=FIRST, SERVER_ID=SERVER), 0) is None
        assert server.leases() == {}
        assert {lease(server, Mac(n)) for n in (5, 6)} == {FIRST, Ipv4("10.0.0.101")}

    def test_nobody_releases_anothers_address(self) -> None:
        server = DhcpServer(CONFIG)
        lease(server, STRANGER)
        server.handle(ask(D.RELEASE, SECOND, ciaddr=FIRST, SERVER_ID=SERVER), 0)
        server.handle(ask(D.RELEASE, STRANGER, ciaddr=FIRST, SERVER_ID=OTHER), 0)
        assert list(server.leases()) == [FIRST]
        assert server.outcomes[Outcome.NONSENSE] == server.outcomes[Outcome.OTHER_SERVER] == 1

    def test_a_declined_address_rests(self) -> None:
        server = DhcpServer(CONFIG)
        lease(server, STRANGER)
        decline = ask(D.DECLINE, STRANGER, REQUESTED_ADDRESS=FIRST, SERVER_ID=SERVER)
        assert server.handle(decline, 0) is None
        assert server.outcomes[Outcome.DECLINED] == 1
        assert lease(server, STRANGER) == Ipv4("10.0.0.101")
        assert server.handle(ask(D.DISCOVER, SECOND), DECLINE_HOLD_NS - 1) is None
        assert lease(server, SECOND, DECLINE_HOLD_NS) == FIRST

    def test_a_reserved_address_stays_reserved(self) -> None:
        server = DhcpServer(CONFIG)
        lease(server, KNOWN)
        server.handle(ask(D.DECLINE, REQUESTED_ADDRESS=RESERVED, SERVER_ID=SERVER), 0)
        assert lease(server, KNOWN) == RESERVED

    def test_leases_expire(self) -> None:
        server = DhcpServer(CONFIG)
        lease(server, STRANGER)
        lease(server, SECOND)
        assert server.handle(ask(D.DISCOVER, Mac(9)), 1000 * S - 1) is None
        assert lease(server, Mac(9), 1000 * S) == FIRST


class TestAnswers:
    def test_an_inform_is_answered_without_a_lease(self) -> None:
        answer = DhcpServer(CONFIG).handle(ask(D.INFORM, ciaddr=Ipv4("10.0.0.33")), 0)
        assert (kind_of(answer), answer.dst) == (D.ACK, Ipv4("10.0.0.33"))
        assert answer.message.lease_time_s is None
        assert answer.message.yiaddr == ANY_IPV4
        assert answer.message.interface_mtu == 1450

    def test_unicast_without_arp_by_default(self) -> None:
        answer = DhcpServer(CONFIG).handle(ask(D.DISCOVER), 0)
        assert (answer.dst, answer.mac, answer.port) == (RESERVED, KNOWN, 68)

    def test_broadcast_if_the_client_wants_it(self) -> None:
        answer = DhcpServer(CONFIG).handle(ask(D.DISCOVER, broadcast=True), 0)
        assert (answer.dst, answer.mac, answer.port) == (BROADCAST_IPV4, BROADCAST, 68)

    def test_a_relay_gets_the_answer_and_its_information_back(self) -> None:
        relay = Ipv4("10.0.0.2")
        message = ask(D.DISCOVER, giaddr=relay, RELAY_AGENT=b"\1\4port")
        answer = DhcpServer(CONFIG).handle(message, 0)
        assert (answer.dst, answer.mac, answer.port) == (relay, None, 67)
        assert list(answer.message.options)[-1] == OptionCode.RELAY_AGENT
        refusal = ask(D.REQUEST, giaddr=relay, REQUESTED_ADDRESS=OTHER)
        assert DhcpServer(CONFIG).handle(refusal, 0).message.broadcast

    def test_a_relay_of_another_subnet_is_not_served(self) -> None:
        server = DhcpServer(CONFIG)
        assert server.handle(ask(D.DISCOVER, giaddr=Ipv4("10.9.0.1")), 0) is None
        assert server.outcomes == {Outcome.OTHER_SUBNET: 1}

    def test_parameters_come_in_the_clients_order_but_the_mask_before_the_routers(self) -> None:
        message = ask(D.DISCOVER, PARAMETER_REQUEST_LIST=(26, 3, 99, 6, 1))
        options = list(DhcpServer(CONFIG).handle(message, 0).message.options)
        assert options == [53, 54, 51, 58, 59, 26, 1, 3, 6]

    def test_an_answer_fits_what_the_client_takes(self) -> None:
        servers = tuple(Ipv4(0x0A000000 + n) for n in range(60))
        config = replace(CONFIG, dns_servers=servers, domain="x" * 250, mtu=1450)
        offer = DhcpServer(config).handle(ask(D.DISCOVER), 0).message
        assert len(offer.emit()) + 28 <= 576
        assert offer.subnet_mask is not None
        large = DhcpServer(config).handle(ask(D.DISCOVER, MAX_MESSAGE_SIZE=1500), 0).message
        assert large.domain_name == "x" * 250

    def test_scapy_reads_an_offer(self) -> None:
        read = BOOTP(DhcpServer(CONFIG).handle(ask(D.DISCOVER), 0).message.emit())
        assert (read.op, read.yiaddr, read.xid) == (2, str(RESERVED), 77)
        options = dict(option[:2] for option in read[DHCP].options if isinstance(option, tuple))
        assert options["message-type"] == 2
        assert options["server_id"] == str(SERVER)
        assert (options["lease_time"], options["renewal_time"]) == (1000, 500)
        assert (options["router"], options["subnet_mask"]) == (str(ROUTER), "255.255.255.0")

    def test_the_server_reads_what_scapy_writes(self) -> None:
        written = BOOTP(op=1, chaddr=bytes(KNOWN), xid=5) / DHCP(
            options=[("message-type", "discover"), ("param_req_list", [1, 3]), "end"]
        )
        answer = DhcpServer(CONFIG).handle(Dhcpv4.parse(bytes(written)), 0)
        assert (answer.message.yiaddr, answer.message.xid) == (RESERVED, 5)


class TestHostileClients:
    def test_starvation_ends_with_the_pool_and_spares_the_known(self) -> None:
        server = DhcpServer(CONFIG)
        for number in range(1000):
            server.handle(ask(D.DISCOVER, Mac(0x060000000000 + number)), 0)
        assert server.outcomes == {Outcome.OFFERED: 2, Outcome.EXHAUSTED: 998}
        assert lease(server, KNOWN) == RESERVED

    def test_the_table_is_bounded_whatever_the_pool(self, monkeypatch) -> None:
        monkeypatch.setattr(dhcp_leases, "TABLE_LIMIT", 10)
        config = DhcpConfig(
            SERVER, IPv4Network("10.0.0.0/8"), 60, pool=(Ipv4("10.1.0.0"), Ipv4("10.255.0.0"))
        )
        server = DhcpServer(config)
        for number in range(50):
            server.handle(ask(D.DISCOVER, Mac(number * 2)), 0)
        assert server.outcomes == {Outcome.OFFERED: 10, Outcome.EXHAUSTED: 40}


def converse(client: DhcpClient, server: DhcpServer, now: int, effects) -> None:
    """Carry messages to and fro, in no time, until both are silent."""
    while effects:
        effect = effects.pop(0)
        if isinstance(effect, Send):
            answer = server.handle(Dhcpv4.parse(effect.message.emit()), now)
            if answer is not None:
                effects += client.receive(Dhcpv4.parse(answer.message.emit()), now)


def test_client_and_server_agree_for_a_week() -> None:
    server = DhcpServer(CONFIG)
    clients = [DhcpClient(mac, Random(mac)) for mac in (KNOWN, STRANGER)]
    for client in clients:
        converse(client, server, 0, client.start(0))
    week = 7 * 86_400 * S
    while (now := min(client.next_timeout() for client in clients)) < week:
        for client in clients:
            converse(client, server, now, client.tick(now))
        assert [client.lease.ip for client in clients] == [RESERVED, FIRST]
        for client in clients:
            assert server.leases()[client.lease.ip] == client.lease.expire_ns
    renewals = week // (500 * S)
    assert server.outcomes[Outcome.OFFERED] == 2
    assert abs(server.outcomes[Outcome.LEASED] - 2 * renewals) <= 2


def test_a_client_survives_a_server_that_forgot_it() -> None:
    client = DhcpClient(STRANGER, Random(1))
    converse(client, DhcpServer(CONFIG), 0, client.start(0))
    fresh = DhcpServer(CONFIG)
    while (now := client.next_timeout()) <= 1000 * S:
        converse(client, fresh, now, client.tick(now))
    assert client.lease is not None
    assert client.lease.since_ns == 1000 * S


ADDRESSES = st.sampled_from([ANY_IPV4, RESERVED, FIRST, SERVER, Ipv4("10.0.0.101"), OTHER])


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(DhcpMessageType)), st.integers(1, 5), ADDRESSES,
            st.none() | ADDRESSES, st.none() | ADDRESSES, st.integers(0, 400 * S),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_no_address_is_ever_leased_twice(script) -> None:
    server = DhcpServer(CONFIG)
    holders: dict[Ipv4, tuple[Mac, int]] = {}
    now = 0
    for kind, number, ciaddr, wanted, server_id, delay in script:
        now += delay
        mac = Mac(0x020000000000 + number)
        options = {"REQUESTED_ADDRESS": wanted, "SERVER_ID": server_id}
        given_options = {name: value for name, value in options.items() if value is not None}
        answer = server.handle(ask(kind, mac, ciaddr=ciaddr, **given_options), now)
        if kind in (D.RELEASE, D.DECLINE):
            holders = {
                address: holder
                for address, holder in holders.items()
                if holder[0] != mac or address in server.leases()
            }
        if answer is not None and answer.message.lease_time_s and kind == D.REQUEST:
            holder, until = holders.get(answer.message.yiaddr, (mac, now))
            assert holder == mac or until <= now
            holders[answer.message.yiaddr] = (mac, now + 1000 * S)
    assert server.outcomes.total() == len(script)
