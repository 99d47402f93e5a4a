"""What an OpenFlow switch does without a controller (OpenFlow 1.3.5, "Connection Interruption")."""

from __future__ import annotations

from enum import Enum


class FailMode(Enum):
    """What a switch does that has lost all its controllers, or never had one.

    Fail secure, it goes on as its entries say; fail standalone, it is a learning bridge.
    """

    SECURE = "secure"
    STANDALONE = "standalone"
