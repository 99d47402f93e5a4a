"""nc: text over TCP and UDP, for both versions of IP."""

from __future__ import annotations


def test_text_goes_both_ways(net, ip) -> None:
    server = net["h2"].start("nc -l -v -N 80", stdin="welcome\n")
    output = net["h1"].cmd(f"nc -v -N {ip.h2} 80", stdin="héllo\n")
    assert output == f"Connection to {ip.h2} 80 port [tcp/*] succeeded!\nwelcome\n"
    assert output.status == 0
    net.run_for("1s")
    assert server.status == 0
    listening, received, text = server.output.splitlines()
    assert listening == "Listening on 0.0.0.0 80"
    assert received.startswith(f"Connection received on {ip.h1} ")
    assert text == "héllo"


def test_a_listener_that_keeps_on(net) -> None:
    server = net["h2"].start("nc -lk -p 80")
    for word in ("one\n", "two\n"):
        assert net["h1"].cmd("nc -N 10.0.0.2 80", stdin=word, limit="5s").status == 0
    assert not server.done
    assert server.output == "one\ntwo\n"
    server.stop()
    net.run_for("1s")
    assert server.status == 130
    assert net["h1"].cmd("nc -z 10.0.0.2 80").status == 1


def test_ports_are_scanned(net, ip) -> None:
    net["h2"].start("nc -lk 80")
    output = net["h1"].cmd(f"nc -zv {ip.h2} 79-81")
    assert output == (
        f"nc: connect to {ip.h2} port 79 (tcp) failed: Connection refused\n"
        f"Connection to {ip.h2} 80 port [tcp/*] succeeded!\n"
        f"nc: connect to {ip.h2} port 81 (tcp) failed: Connection refused\n"
    )
    assert output.status == 0


def test_datagrams(net, ip) -> None:
    server = net["h2"].start(f"nc -u {ip.option} -l 53", stdin="pong\n")
    client = net["h1"].cmd(f"nc -u -w 2 {ip.h2} 53", stdin="ping\n")
    assert (client, client.status) == ("pong\n", 0)
    assert server.output == "ping\n"
    assert net["h1"].cmd(f"nc -zu {ip.h2} 54").status == 1
    assert net["h1"].cmd(f"nc -zuv {ip.h2} 53") == (
        f"Connection to {ip.h2} 53 port [udp/*] succeeded!\n"
    )


def test_nobody_is_there(net) -> None:
    output = net["h1"].cmd("nc 10.0.0.99 80")
    assert output == "nc: connect to 10.0.0.99 port 80 (tcp) failed: No route to host\n"
    assert output.status == 1
    net.set_link("h2--s1", False)
    began = net.now
    output = net["h1"].cmd("nc -w 1 10.0.0.2 80")
    assert output == "nc: connect to 10.0.0.2 port 80 (tcp) timed out: Operation now in progress\n"
    assert net.now - began == 10**9


def test_the_local_port(net) -> None:
    net["h2"].start("nc -l 80")
    job = net["h1"].start("nc -p 4000 10.0.0.2 80")
    net.run_for("1s")
    assert "10.0.0.1:4000" in net["h1"].cmd("ss -tn")
    job.stop()


def test_mistakes(net) -> None:
    for line, said in (
        ("nc 10.0.0.2", "nc: missing host or port number\n"),
        ("nc -l", "nc: missing port with option -l\n"),
        ("nc 10.0.0.2 70000", "nc: port number invalid: 70000\n"),
    ):
        output = net["h1"].cmd(line)
        assert (output, output.status) == (said, 1)
    net["h2"].start("nc -l 80")
    net.run_for("1ms")
    assert net["h2"].cmd("nc -l 80") == "nc: Address already in use\n"
