"""dig and nslookup ask a DNS server that is a program on another host."""

from __future__ import annotations

import asyncio

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from sdnvirt.commands.command import address

ZONE = {
    ("web.example.", "A"): ["10.0.0.2"],
    ("web.example.", "AAAA"): ["2001:db8::2"],
    ("2.0.0.10.in-addr.arpa.", "PTR"): ["web.example."],
}


class Server(asyncio.DatagramProtocol):
    """Answers from the zone."""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        question = query.question[0]
        kind = question.rdtype.to_text(question.rdtype)
        found = ZONE.get((str(question.name), kind))
        if found:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(name == str(question.name) for name, _ in ZONE):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(reply.to_wire(), addr)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    for anywhere in ("0.0.0.0", "::"):
        await loop.create_datagram_endpoint(Server, local_addr=(anywhere, 53))
    await asyncio.Event().wait()


@pytest.fixture
def named(net, ip):
    """The hosts, of which h3 is a DNS server that h1 knows."""
    net["h3"].run(serve())
    net["h1"].host.dns_servers = (address(ip.h3),)
    net.run_for("1ms")
    return net


def test_dig(named, ip) -> None:
    lines = named["h1"].cmd("dig web.example").splitlines()
    assert lines[1:4] == ["; <<>> DiG <<>> web.example", ";; global options: +cmd",
                          ";; Got answer:"]  # fmt: skip
    assert lines[4].startswith(";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: ")
    assert lines[5] == ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0"
    assert lines[6] == ";; WARNING: recursion requested but not available"
    assert lines[7:13] == [
        "", ";; QUESTION SECTION:", ";web.example.\t\t\tIN\tA", "", ";; ANSWER SECTION:",
        "web.example.\t\t60\tIN\tA\t10.0.0.2",
    ]  # fmt: skip
    assert f";; SERVER: {ip.h3}#53({ip.h3}) (UDP)" in lines


def test_dig_in_short(named, ip) -> None:
    assert named["h1"].cmd("dig +short web.example AAAA") == "2001:db8::2\n"
    assert named["h2"].cmd(f"dig @{ip.h3} -t a web.example +short") == "10.0.0.2\n"
    assert named["h1"].cmd("dig +short -x 10.0.0.2") == "web.example.\n"
    assert "status: NXDOMAIN" in named["h1"].cmd("dig none.example")


def test_nslookup(named, ip) -> None:
    assert named["h1"].cmd("nslookup web.example") == (
        f"Server:\t\t{ip.h3}\nAddress:\t{ip.h3}#53\n\n"
        "Name:\tweb.example\nAddress: 10.0.0.2\nName:\tweb.example\nAddress: 2001:db8::2\n\n"
    )
    output = named["h1"].cmd("nslookup none.example")
    assert output.endswith("** server can't find none.example: NXDOMAIN\n\n")
    assert output.status == 1


def test_names_work_for_the_other_commands(named) -> None:
    output = named["h1"].cmd("ping -4 -c 1 web.example")
    assert output.startswith("PING web.example (10.0.0.2) 56(84) bytes of data.\n")


def test_nobody_answers(net) -> None:
    output = net["h1"].cmd("dig @10.0.0.2 web.example")
    assert output.endswith(
        ";; communications error to 10.0.0.2#53: connection refused\n"
        ";; no servers could be reached\n"
    )
    assert output.status == 9
    assert net["h1"].cmd("nslookup web.example").status == 1
    net["h3"].start("nc -u -l 53")
    reasons = {
        "10.0.0.3": "timed out",
        "10.0.0.99": "host unreachable",
        "10.77.0.1": "network unreachable",
    }
    for silent, why in reasons.items():
        output = net["h1"].cmd(f"dig @{silent} web.example")
        assert f";; communications error to {silent}#53: {why}\n" in output


@pytest.mark.parametrize("line", ["dig web.example FOO", "dig +foo x", "dig -x web", "dig a..b",
                                  "nslookup a..b"])  # fmt: skip
def test_mistakes(named, line: str) -> None:
    assert named["h1"].cmd(line).status == 1
