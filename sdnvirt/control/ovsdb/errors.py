"""What OVSDB answers to a request that it does not carry out (RFC 7047, 3.1, 4 and 5)."""

from __future__ import annotations

from typing import Any

from sdnvirt.errors import WireError


class OvsdbError(WireError):
    """A request that cannot be carried out.

    Attributes:
        error: the error's name, such as ``constraint violation``.
        details: what was wrong, for people.
    """

    def __init__(self, error: str, details: str) -> None:
        super().__init__(f"{error}: {details}")
        self.error = error
        self.details = details

    def to_json(self) -> dict[str, Any]:
        """Return the <error> object of the RFC's section 3.1."""
        return {"error": self.error, "details": self.details}


def syntax_error(details: str) -> OvsdbError:
    """Return the error for what is no value, condition or operation."""
    return OvsdbError("syntax error", details)


def violation(details: str) -> OvsdbError:
    """Return the error for a value or change that the schema or the switch does not allow."""
    return OvsdbError("constraint violation", details)
