"""curl and the small HTTP server."""

from __future__ import annotations

import asyncio

import pytest


def test_a_page(net, ip) -> None:
    server = net["h2"].start("python3 -m http.server 80")
    output = net["h1"].cmd(f"curl http://{ip.url(ip.h2)}/")
    assert output == "<!DOCTYPE html>\n<html><body><h1>h2</h1></body></html>\n"
    assert output.status == 0
    server.stop()
    net.run_for("1s")
    assert server.output == (
        "Serving HTTP on 0.0.0.0 port 80 (http://0.0.0.0:80/) ...\n"
        f'{ip.h1} - - [01/Jan/1970 00:00:20] "GET / HTTP/1.1" 200 -\n'
        "\nKeyboard interrupt received, exiting.\n"
    )
    assert server.status == 0


@pytest.fixture
def site(net, tmp_path):
    """A server of a folder, beside which stands what nobody may see."""
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "www"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("hello\n")
    (folder / "big.bin").write_bytes(bytes(300_000))
    (folder / "sub" / "index.html").write_text("<p>index</p>\n")
    net["h2"].start(f"http.server 8000 --directory {folder}")
    return "http://10.0.0.2:8000"


def test_a_page_of_this_host(net, ip) -> None:
    net["h1"].start("http.server 8080 --bind localhost")
    for host in ("localhost", "127.0.0.1" if ip.is_v4 else "[::1]"):
        page = net["h1"].cmd(f"curl -s {ip.option} http://{host}:8080/")
        assert "h1" in page
        assert page.status == 0
    assert net["h2"].cmd(f"curl -s http://{ip.url(ip.h1)}:8080/").status == 7


def test_files(net, site, tmp_path) -> None:
    assert net["h1"].cmd(f"curl -s {site}/a.txt") == "hello\n"
    assert net["h1"].cmd(f"curl -s {site}/sub/") == "<p>index</p>\n"
    assert '<li><a href="a.txt">a.txt</a></li>' in net["h1"].cmd(f"curl -s {site}/")
    target = tmp_path / "got"
    form = "%{http_code} %{size_download} %{remote_ip}\\n"
    output = net["h1"].cmd(f'curl -s -o {target} -w "{form}" {site}/big.bin')
    assert output == "200 300000 10.0.0.2\n"
    assert target.read_bytes() == bytes(300_000)


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "//etc/passwd", "/none", "/%00"])
def test_what_is_not_served(net, site, path: str) -> None:
    output = net["h1"].cmd(f'curl -s -w "%{{http_code}}" {site}{path}')
    assert output == "Error code: 404\nMessage: File not found.\n404"
    failed = net["h1"].cmd(f"curl -f {site}{path}")
    assert (failed, failed.status) == ("curl: (22) The requested URL returned error: 404\n", 22)


def test_heads_and_methods(net, site) -> None:
    assert net["h1"].cmd(f"curl -I {site}/a.txt") == (
        "HTTP/1.1 200 OK\nServer: SimpleHTTP/0.6\nDate: Thu, 01 Jan 1970 00:00:20 GMT\n"
        "Content-type: text/plain\nContent-Length: 6\n\n"
    )
    assert net["h1"].cmd(f"curl -i {site}/a.txt").endswith("\n\nhello\n")
    assert "501" in net["h1"].cmd(f'curl -s -w "%{{http_code}}" -X DELETE {site}/a.txt')
    verbose = net["h1"].cmd(f"curl -v -H 'X-Test: 1' -H 'Accept:' -d a=1 -d b=2 {site}/a.txt")
    for line in (
        "*   Trying 10.0.0.2:8000...", "* Connected to 10.0.0.2 (10.0.0.2) port 8000",
        "> POST /a.txt HTTP/1.1", "> X-Test: 1", "* Closing connection",
        "> Content-Length: 7", "< HTTP/1.1 501 Unsupported method",
    ):  # fmt: skip
        assert f"{line}\n" in verbose
    assert "Accept" not in verbose


def serve(net, answer: bytes) -> None:
    """Let h3 answer every request at port 80 with these bytes."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def program() -> None:
        async with await asyncio.start_server(one, port=80) as server:
            await server.serve_forever()

    net["h3"].run(program())


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "output", "status"),
    [
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", 0),
        (OK + b"\r\nto the end", "to the end", 0),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "", 0),
        (b"", "curl: (52) Empty reply from server\n", 52),
        (OK + b"Content-Length: 9\r\n\r\na",
         "curl: (56) Received a body that is cut short\n", 56),
        (OK + b"Content-Length: x\r\n\r\n", "curl: (56) Received a Content-Length of 'x'\n", 56),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
         "curl: (56) Received a chunk of b'zz' bytes\n", 56),
        (OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
         "curl: (56) Received a head that is too long\n", 56),
        (b"HTTP/1.1 200", "curl: (56) Received a message that ends in its head\n", 56),
        (b"nonsense\r\n\r\n", "curl: (56) Received a first line of one word\n", 56),
        (b"no such thing\r\n\r\n", "curl: (1) Received HTTP/0.9 when not allowed\n", 1),
    ],
)  # fmt: skip
def test_answers_good_and_bad(net, answer: bytes, output: str, status: int) -> None:
    serve(net, answer)
    got = net["h1"].cmd("curl http://10.0.0.3/")
    assert (got, got.status) == (output, status)


def test_a_zone_in_a_url_stays_on_the_host(net) -> None:
    link_local = net["h2"].host.interface.link_local
    net["h2"].start("nc -l 80", stdin="HTTP/1.0 204 No Content\r\n\r\n")
    output = net["h1"].cmd(f"curl -v http://[{link_local}%25s1]/")
    assert f"> Host: [{link_local}]\n" in output
    assert "< HTTP/1.0 204 No Content\n" in output
    assert net["h1"].cmd(f"curl http://[{link_local}%25s9]/").status == 6


def test_redirections(net, site) -> None:
    serve(net, b"HTTP/1.1 302 Found\r\nLocation: " + site.encode() + b"/a.txt\r\n\r\n")
    assert net["h1"].cmd("curl http://10.0.0.3/") == ""
    assert net["h1"].cmd("curl -L http://10.0.0.3/") == "hello\n"


def test_redirections_in_circles(net) -> None:
    serve(net, b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")
    output = net["h1"].cmd("curl -L http://10.0.0.3/")
    assert (output, output.status) == ("curl: (47) Maximum (50) redirects followed\n", 47)


@pytest.mark.parametrize(
    ("url", "said", "status"),
    [
        ("http://10.0.0.2:9/", "Failed to connect to 10.0.0.2 port 9 after 0 ms: "
         "Couldn't connect to server", 7),
        ("http://nosuch/", "Could not resolve host: nosuch", 6),
        ("https://10.0.0.2/", 'Protocol "https" not supported', 1),
        ("http:///x", "URL rejected: No host part in the URL", 3),
        ("http://h:99999/", "URL rejected: Malformed input to a URL function", 3),
    ],
)  # fmt: skip
def test_no_answer(net, url: str, said: str, status: int) -> None:
    output = net["h1"].cmd(f"curl {url}")
    assert (output, output.status) == (f"curl: ({status}) {said}\n", status)
    assert net["h1"].cmd(f"curl -s {url}") == ""


def test_times(net) -> None:
    net.set_link("h2--s1", False)
    began = net.now
    output = net["h1"].cmd("curl --connect-timeout 2 http://10.0.0.2/")
    assert output == "curl: (28) Connection timed out after 2000 milliseconds\n"
    assert net.now - began == 2 * 10**9
    output = net["h1"].cmd("curl -m 0.5 http://10.0.0.2/")
    assert output == "curl: (28) Connection timed out after 500 milliseconds\n"
    net["h3"].start("nc -lk 80")
    output = net["h1"].cmd("curl -m 1.5 http://10.0.0.3/")
    assert output == (
        "curl: (28) Operation timed out after 1500 milliseconds with 0 bytes received\n"
    )


def test_hostile_requests_leave_the_server_well(net, site) -> None:
    for request in (b"\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe /\r\n\r\n", b"x" * 200_000,
                    b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):  # fmt: skip
        net["h1"].cmd("nc -N -w 5 10.0.0.2 8000", stdin=request)
    assert net["h1"].cmd(f"curl -s {site}/a.txt") == "hello\n"
