"""Why a connection was lost or never made, by the numbers of POSIX's errno.h."""

from __future__ import annotations

import errno
from enum import Enum


class Loss(Enum):
    """A reason; the value is the number of the error and what it says."""

    REFUSED = (errno.ECONNREFUSED, "connection refused")
    RESET = (errno.ECONNRESET, "connection reset by peer")
    ABORTED = (errno.ECONNABORTED, "connection aborted by this host")
    TIMED_OUT = (errno.ETIMEDOUT, "connection timed out")
    NETWORK_UNREACHABLE = (errno.ENETUNREACH, "network unreachable")
    IN_USE = (errno.EADDRINUSE, "address already in use")
    NO_PORT = (errno.EADDRNOTAVAIL, "cannot assign requested address")
    HOST_UNREACHABLE = (errno.EHOSTUNREACH, "no route to host")

    @property
    def errno(self) -> int:
        """The number of the error."""
        return self.value[0]

    def __str__(self) -> str:
        return self.value[1]
