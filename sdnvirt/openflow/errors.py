"""What a peer got wrong, in the terms in which OpenFlow answers it (OpenFlow 1.3.5, 7.4.4).

The numbers here are those that all versions share; the tables of a version are in its package.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.errors import MalformedError

HELLO_FAILED: Final = 0
"""Error type: no version in common (OFPET_HELLO_FAILED)."""

INCOMPATIBLE: Final = 0
"""Code of HELLO_FAILED: no compatible version (OFPHFC_INCOMPATIBLE)."""

BAD_REQUEST: Final = 1
"""Error type: the request was not understood (OFPET_BAD_REQUEST)."""

BAD_VERSION: Final = 0
"""Code of BAD_REQUEST: the header's version is not the agreed one (OFPBRC_BAD_VERSION)."""

BAD_TYPE: Final = 1
"""Code of BAD_REQUEST: no message has the header's type (OFPBRC_BAD_TYPE)."""

BAD_LENGTH: Final = 6
"""Code of BAD_REQUEST: wrong length for the type (OFPBRC_BAD_LEN)."""

BAD_ACTION: Final = 2
"""Error type: an action cannot be executed (OFPET_BAD_ACTION)."""

BAD_ACTION_TYPE: Final = 0
"""Code of BAD_ACTION: no action has this type (OFPBAC_BAD_TYPE)."""

BAD_ACTION_LENGTH: Final = 1
"""Code of BAD_ACTION: wrong length for the type (OFPBAC_BAD_LEN)."""


BAD_ACTION_TOO_MANY: Final = 7
"""Code of BAD_ACTION: more actions than can be handled (OFPBAC_TOO_MANY)."""


class OpenFlowError(MalformedError):
    """Bytes that OpenFlow answers with an OFPT_ERROR of this type and code.

    Attributes:
        error_type: the OFPET_* number.
        code: the code within the type.
        detail: what was found, for people.
    """

    def __init__(self, error_type: int, code: int, detail: str) -> None:
        super().__init__(detail)
        self.error_type = error_type
        self.code = code
        self.detail = detail


def bad_length(what: str, size: int) -> OpenFlowError:
    """Return the error for a structure that cannot have the ``size`` bytes that it was given."""
    return OpenFlowError(BAD_REQUEST, BAD_LENGTH, f"{what} cannot have {size} bytes")


def too_many_actions(what: str) -> OpenFlowError:
    """Return the error for something of which no message could tell afterwards."""
    return OpenFlowError(BAD_ACTION, BAD_ACTION_TOO_MANY, f"{what} is too long to be told")
