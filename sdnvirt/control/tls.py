"""TLS between switches and controllers, without sockets: bytes in, bytes out.

Both sides show a certificate that a CA known to the other has signed; names in certificates are
not looked at, as in Open vSwitch: a switch's is its identity, not its address (OpenFlow 1.3.5,
6.3.3).
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from sdnvirt.control.address import reason
from sdnvirt.errors import ControllerError

_RECORD_SIZE: Final = 1 << 14
"""Bytes of plaintext in the longest record (RFC 8446, 5.1)."""


class TlsFiles(NamedTuple):
    """What one side needs, in PEM files.

    Attributes:
        private_key: its own, not encrypted.
        certificate: its own, with those between it and the CA if there are any.
        ca_certificate: of the CA that has signed the other side's certificate.
    """

    private_key: Path
    certificate: Path
    ca_certificate: Path

    def context(self, *, server_side: bool) -> ssl.SSLContext:
        """Return what connections are made from.

        Raises:
            ControllerError: a file is missing or is not what it should be.
        """
        for what, path in zip(self._fields, self, strict=True):
            try:
                path.read_bytes()
            except OSError as error:
                raise _wrong(what, path, reason(error)) from error
        protocol = ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT
        context = ssl.SSLContext(protocol)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load_certificates(context, "ca_certificate", self.ca_certificate)
        _load_certificates(ssl.SSLContext(protocol), "certificate", self.certificate)
        try:
            # Without the password, OpenSSL would ask at the terminal for that of an encrypted key.
            context.load_cert_chain(self.certificate, self.private_key, password=lambda: "")
        except ssl.SSLError as error:
            mismatch = error.reason == "KEY_VALUES_MISMATCH"
            why = (
                f"does not belong to certificate {self.certificate}"
                if mismatch
                else "expected a private key in PEM that is not encrypted"
            )
            raise _wrong("private_key", self.private_key, why) from error
        return context


class TlsError(Exception):
    """The connection cannot be secured; the text says why."""


class Coding(Protocol):
    """How the bytes of a connection are written on the wire."""

    @property
    def established(self) -> bool:
        """Whether bytes can be sent."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the other side took leave, so that nothing more comes."""
        ...

    def start(self) -> None:
        """Begin; the connection is there."""

    def send(self, data: bytes) -> None:
        """Take bytes that the other side is to get."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the wire; return what the other side says.

        Raises:
            TlsError: the connection cannot be secured.
        """
        ...

    def outgoing(self) -> bytes:
        """Return the bytes that are to go onto the wire, and forget them."""
        ...

    def close(self) -> None:
        """Take leave."""


class Plain:
    """No TLS: bytes are written as they are."""

    established = True
    ended = False

    def __init__(self) -> None:
        self._outgoing: list[bytes] = []

    def start(self) -> None:
        """Do nothing."""

    def send(self, data: bytes) -> None:
        """Take bytes that the other side is to get."""
        self._outgoing.append(data)

    def receive(self, data: bytes) -> bytes:
        """Return the bytes."""
        return data

    def outgoing(self) -> bytes:
        """Return the bytes that are to go onto the wire, and forget them."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def close(self) -> None:
        """Do nothing."""


class Tls:
    """One end of a secured connection.

    Args:
        context: of :meth:`TlsFiles.context`.
        server_side: whether this is the side that was dialled.

    Attributes:
        established: whether the handshake is over.
        ended: whether the other side took leave.
    """

    def __init__(self, context: ssl.SSLContext, *, server_side: bool) -> None:
        self._from_wire = ssl.MemoryBIO()
        self._to_wire = ssl.MemoryBIO()
        self._end = context.wrap_bio(self._from_wire, self._to_wire, server_side=server_side)
        self.established = False
        self.ended = False

    def start(self) -> None:
        """Begin the handshake."""
        self._shake_hands()

    def send(self, data: bytes) -> None:
        """Take bytes that the other side is to get."""
        self._end.write(data)

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the wire; return what the other side says."""
        self._from_wire.write(data)
        if not self.established:
            self._shake_hands()
        pieces: list[bytes] = []
        while self.established:
            try:
                piece = self._end.read(_RECORD_SIZE)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            except ssl.SSLError as error:
                raise TlsError(_told(error)) from error
            if not piece:  # the other side took leave
                self.ended = True
                break
            pieces.append(piece)
        return b"".join(pieces)

    def outgoing(self) -> bytes:
        """Return the bytes that are to go onto the wire, and forget them."""
        return self._to_wire.read()

    def close(self) -> None:
        """Take leave, without waiting for the other side to do so."""
        if self.established:
            with suppress(ssl.SSLError):
                self._end.unwrap()

    def _shake_hands(self) -> None:
        try:
            self._end.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise TlsError(_told(error)) from error
        self.established = True


def _load_certificates(context: ssl.SSLContext, what: str, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise _wrong(what, path, "expected a certificate in PEM") from error


def _wrong(what: str, path: Path, why: str) -> ControllerError:
    words = what.replace("ca_", "CA ").replace("_", " ")
    return ControllerError(f"{words} {path}: {why}")


def _told(error: ssl.SSLError) -> str:
    """Return what went wrong, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    words = (error.reason or "TLS failed").replace("_", " ").lower()
    _, alert, description = words.partition("alert ")
    if alert:
        return f"it refuses the connection: {description}"
    if words in ("wrong version number", "record layer failure", "http request"):
        return "it does not speak TLS"
    return f"TLS: {words}"
