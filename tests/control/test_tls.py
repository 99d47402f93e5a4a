"""TLS: files that are wrong, and connections with certificates made on the spot."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from sdnvirt.addresses import Mac
from sdnvirt.control.listener import Listener
from sdnvirt.control.remote import RemoteController, RemoteSide
from sdnvirt.control.tls import Tls, TlsFiles
from sdnvirt.control.transport import Transport
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.errors import ControllerError

PATIENCE_S = 10
DAY = timedelta(days=1)


class Authority:
    """A CA in a folder, that signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = self._write(name, self._sign(name, self.key.public_key(), 1, ca=True))

    def issue(self, name: str, days: int = 1) -> TlsFiles:
        """Return the files of somebody who trusts this CA; expired after negative days."""
        key = ec.generate_private_key(ec.SECP256R1())
        file = self._write(name, self._sign(name, key.public_key(), days, ca=False))
        private = self.folder / f"{name}-key.pem"
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return TlsFiles(private, file, self.file)

    def _sign(
        self, name: str, key: ec.EllipticCurvePublicKey, days: int, *, ca: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self.name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 7 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self.key, SHA256())
        )

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self.folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        return path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ca")


@pytest.fixture(scope="module")
def switch_files(authority: Authority) -> TlsFiles:
    return authority.issue("switch")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """The files of somebody whom another CA vouches for."""
    return Authority(tmp_path_factory.mktemp("other"), "other").issue("stranger")


class Server:
    """A controller that secures connections by Python's own means, in a thread of its own."""

    def __init__(self, files: TlsFiles, greeting: bytes = b"hello", connections: int = 1) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.private_key)
        context.load_verify_locations(files.ca_certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)
        self.address = f"ssl:127.0.0.1:{self.listener.getsockname()[1]}"
        self.heard = b""
        self.refusal = ""
        self.thread = threading.Thread(
            target=lambda: [self._serve(context, greeting) for _ in range(connections)]
        )
        self.thread.start()

    def _serve(self, context: ssl.SSLContext, greeting: bytes) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE_S)
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                self.heard += secured.recv(100)
                secured.sendall(greeting)
        except OSError as error:
            self.refusal = str(error)
            connection.close()


class Dialler:
    """A switch that dials."""

    def __init__(self) -> None:
        self.transport = Transport(Scheduler())
        self.errors: list[ControllerError] = []
        self.heard = b""
        self.closed: list[str] = []

    def dial(self, address: str, files: TlsFiles) -> RemoteSide:
        controller = RemoteController(address, self.transport, self.errors.append, files)
        return controller.connect(1, self.hear, self.closed.append)

    def until(self, condition: Callable[[], object]) -> None:
        _until(self.transport, condition)

    def hear(self, data: bytes) -> None:
        self.heard += data


def _until(transport: Transport, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        transport.pacer.run_until(transport.scheduler.now + 1_000_000)


@pytest.fixture
def dialler() -> Iterator[Dialler]:
    dialler = Dialler()
    yield dialler
    dialler.transport.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def begin(files: TlsFiles, *arguments: Any, **options: Any) -> Server:
        servers.append(Server(files, *arguments, **options))
        return servers[-1]

    yield begin
    for server in servers:
        server.thread.join(PATIENCE_S)
        server.listener.close()


def test_bytes_go_both_ways(
    dialler: Dialler,
    serve: Callable[..., Server],
    authority: Authority,
    switch_files: TlsFiles,
) -> None:
    greeting = bytes(range(256)) * 400  # several records
    server = serve(authority.issue("controller"), greeting)
    side = dialler.dial(server.address, switch_files)
    side.feed(b"before the handshake")
    dialler.until(lambda: dialler.heard == greeting)
    dialler.until(lambda: dialler.closed)
    assert server.heard == b"before the handshake"
    assert (dialler.errors, dialler.closed) == ([], ["the controller closed the connection"])


def test_auxiliary_connections_are_secured_as_well(
    dialler: Dialler,
    serve: Callable[..., Server],
    authority: Authority,
    switch_files: TlsFiles,
) -> None:
    server = serve(authority.issue("controller"), connections=3)
    remote = RemoteController(
        server.address, dialler.transport, pytest.fail, switch_files, auxiliary_connections=2
    )
    for number, line in enumerate((remote, *remote.auxiliaries), 1):
        line.connect(1, dialler.hear, dialler.closed.append).feed(b"%d" % number)
        dialler.until(lambda number=number: len(dialler.closed) == number)
    assert (server.heard, dialler.heard) == (b"123", b"hello" * 3)


def test_a_controller_of_another_ca_is_refused(
    dialler: Dialler, serve: Callable[..., Server], switch_files: TlsFiles, stranger: TlsFiles
) -> None:
    server = serve(stranger)
    dialler.dial(server.address, switch_files)
    dialler.until(lambda: dialler.errors)
    (error,) = dialler.errors
    assert str(error).startswith(f"controller {server.address}: its certificate is refused: ")
    server.thread.join(PATIENCE_S)
    assert "unknown ca" in server.refusal


def test_a_certificate_that_has_expired_is_refused(
    dialler: Dialler, serve: Callable[..., Server], authority: Authority, switch_files: TlsFiles
) -> None:
    dialler.dial(serve(authority.issue("old", days=-1)).address, switch_files)
    dialler.until(lambda: dialler.errors)
    assert str(dialler.errors[0]).endswith("its certificate is refused: certificate has expired")


def test_a_controller_that_refuses_the_switch_says_why(
    dialler: Dialler, serve: Callable[..., Server], authority: Authority, stranger: TlsFiles
) -> None:
    files = stranger._replace(ca_certificate=authority.file)
    dialler.dial(serve(authority.issue("controller")).address, files)
    dialler.until(lambda: dialler.errors)
    assert str(dialler.errors[0]).endswith(": it refuses the connection: unknown ca")


def test_a_peer_without_tls(dialler: Dialler, switch_files: TlsFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dialler.dial(f"ssl:127.0.0.1:{listener.getsockname()[1]}", switch_files)
        dialler.transport.pacer.run_until(20_000_000)
        with listener.accept()[0] as connection:
            connection.sendall(bytes.fromhex("0400000800000001"))
            dialler.until(lambda: dialler.errors)
    assert str(dialler.errors[0]).endswith(": it does not speak TLS")


class Listening:
    """A switch that listens, with certificates."""

    def __init__(self, files: TlsFiles) -> None:
        world = World(seed=1)
        self.switch = OpenFlowSwitch("s1", world, 7)
        self.switch.add_port(1, "p1", Mac(1))
        self.transport = Transport(world.scheduler)
        self.listener = Listener("pssl:0", self.transport, self.switch, files)


@pytest.fixture
def listening(switch_files: TlsFiles) -> Iterator[Listening]:
    place = Listening(switch_files)
    yield place
    place.listener.close()
    place.transport.close()


def _dial(place: Listening, files: TlsFiles) -> Dialler:
    """Let somebody dial the listener, from a network of its own."""
    dialler = Dialler()
    dialler.dial(f"ssl:127.0.0.1:{place.listener.address.port}", files)
    return dialler


def test_a_switch_listens_for_those_whom_its_ca_has_signed(
    listening: Listening, authority: Authority, stranger: TlsFiles
) -> None:
    friend = _dial(listening, authority.issue("tool"))
    foe = _dial(listening, stranger._replace(ca_certificate=authority.file))

    def run() -> None:
        for transport in (listening.transport, friend.transport, foe.transport):
            transport.pacer.run_until(transport.scheduler.now + 1_000_000)

    deadline = time.monotonic() + PATIENCE_S
    while not (friend.heard and foe.errors):
        assert time.monotonic() < deadline
        run()
    assert friend.heard[:2] == b"\x04\x00"  # the switch's HELLO
    assert foe.heard == b""
    assert str(foe.errors[0]).endswith(": it refuses the connection: unknown ca")
    run()
    assert len(listening.listener.guests) == 1
    friend.transport.close()
    foe.transport.close()


def test_who_takes_leave_is_not_waited_for(switch_files: TlsFiles) -> None:
    """OpenSSL tells of a peer's leave by reading nothing, again and again."""
    here = Tls(switch_files.context(server_side=True), server_side=True)
    peer = Tls(switch_files.context(server_side=False), server_side=False)
    peer.start()
    for _ in range(2):
        here.receive(peer.outgoing())
        peer.receive(here.outgoing())
    assert here.established
    assert not here.ended
    peer.send(b"last words")
    peer.close()
    assert here.receive(peer.outgoing()) == b"last words"
    assert here.ended


def test_one_after_the_other_may_come_and_take_leave(
    listening: Listening, switch_files: TlsFiles
) -> None:
    for _ in range(2):
        visitor = Dialler()
        side = visitor.dial(f"ssl:127.0.0.1:{listening.listener.address.port}", switch_files)
        transport = visitor.transport
        while not visitor.heard:
            for one in (listening.transport, transport):
                one.pacer.run_until(one.scheduler.now + 1_000_000)
        side.close()
        _until(listening.transport, lambda: not listening.listener.guests)
        transport.close()


def test_plain_bytes_at_a_secured_listener_are_no_openflow(listening: Listening) -> None:
    address = ("127.0.0.1", listening.listener.address.port)
    with socket.create_connection(address) as stranger:
        stranger.sendall(bytes.fromhex("0400000800000001"))
        _until(listening.transport, lambda: listening.listener.guests)
        _until(listening.transport, lambda: not listening.listener.guests)
    assert listening.switch.agents == []


def test_each_wrong_file_is_named(
    tmp_path: Path, authority: Authority, switch_files: TlsFiles
) -> None:
    nothing, nonsense, locked = (tmp_path / name for name in ("nothing", "nonsense", "locked"))
    nonsense.write_text("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n")
    key = ec.generate_private_key(ec.SECP256R1())
    locked.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    other = authority.issue("someone")
    good = switch_files
    for files, told in (
        (good._replace(private_key=nothing), f"private key {nothing}: no such file or directory"),
        (good._replace(certificate=tmp_path), f"certificate {tmp_path}: is a directory"),
        (
            good._replace(ca_certificate=nonsense),
            f"CA certificate {nonsense}: expected a certificate in PEM",
        ),
        (
            good._replace(certificate=good.private_key),
            f"certificate {good.private_key}: expected a certificate in PEM",
        ),
        (
            good._replace(private_key=locked),
            f"private key {locked}: expected a private key in PEM that is not encrypted",
        ),
        (
            good._replace(private_key=other.private_key),
            f"private key {other.private_key}: does not belong to certificate {good.certificate}",
        ),
    ):
        with pytest.raises(ControllerError) as caught:
            RemoteController("ssl:127.0.0.1", Transport(Scheduler()), pytest.fail, files)
        assert str(caught.value) == told


def test_tls_needs_files(dialler: Dialler) -> None:
    with pytest.raises(ControllerError, match=r"^controller ssl:127.0.0.1:6653: TLS needs a priv"):
        RemoteController("ssl:127.0.0.1", dialler.transport, pytest.fail)
