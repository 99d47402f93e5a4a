"""The way from a transmitter to the far port, where it is not perfect.

What is lost, doubled or changed here has taken its time on the transmitter, as on a real cable.
Each impairment draws from a random stream of its own, so that switching one on leaves the others'
fates as they are. In order: loss, corruption, duplication, and then for each copy reordering and
jitter. The perfect way costs nothing: a direction without impairments delivers by itself
(:mod:`sdnvirt.devices.link`).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from sdnvirt.devices.loss import Bursts, Chance, GilbertElliott
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

if TYPE_CHECKING:
    from sdnvirt.devices.link import LinkParameters


class Medium:
    """The impaired way of one direction of a link.

    Args:
        world: the surroundings.
        link_name: what the ledger names as the place.
        way: names the direction's streams: the link and the port it leaves by, as ``a--b a:b``.
        arrive: takes the frames at the far end.
    """

    __slots__ = (
        "_arrive", "_bit_stream", "_corrupt", "_delay_ns", "_duplicate", "_jitter",
        "_jitter_stream", "_last_arrival_ns", "_link_name", "_loss", "_reorder", "_way", "_world",
    )  # fmt: skip

    def __init__(
        self, world: World, link_name: str, way: str, arrive: Callable[[Frame], None]
    ) -> None:
        self._world = world
        self._link_name = link_name
        self._way = way
        self._arrive = arrive
        self._last_arrival_ns = 0
        self._bit_stream = self._stream("corrupted bit")
        self._jitter_stream = self._stream("jitter")

    def configure(self, parameters: LinkParameters) -> None:
        """Be as the parameters say from the next frame on."""
        loss = parameters.loss
        self._loss = (
            Bursts(loss, self._stream("loss"))
            if isinstance(loss, GilbertElliott)
            else self._chance("loss", loss)
        )
        self._corrupt = self._chance("corrupt", parameters.corrupt)
        self._duplicate = self._chance("duplicate", parameters.duplicate)
        self._reorder = self._chance("reorder", parameters.reorder)
        self._delay_ns = parameters.delay_ns
        self._jitter = parameters.jitter

    def carry(self, frame: Frame) -> None:
        """Take a frame whose transmission is over."""
        ledger = self._world.ledger
        if self._loss is not None and self._loss.strikes():
            ledger.drop(frame, DropReason.LINK_LOSS, self._link_name)
            return
        if self._corrupt is not None and self._corrupt.strikes() and frame.size:
            frame = frame.rewritten(_one_bit_changed(frame.data, self._bit_stream))
        if self._duplicate is not None and self._duplicate.strikes():
            ledger.copied += 1
            self._propagate(frame.duplicated())
        self._propagate(frame)

    def _propagate(self, frame: Frame) -> None:
        scheduler = self._world.scheduler
        now = scheduler.now
        if self._reorder is not None and self._reorder.strikes():
            scheduler.call_at(now, self._arrive, frame)
            return
        arrival = now + self._delay_ns
        jitter = self._jitter
        if jitter is not None:
            arrival = max(now, arrival + jitter.sample(self._jitter_stream))
            if jitter.keeps_order:
                arrival = max(arrival, self._last_arrival_ns)
        self._last_arrival_ns = arrival
        scheduler.call_at(arrival, self._arrive, frame)

    def _chance(self, what: str, probability: float) -> Chance | None:
        return Chance(probability, self._stream(what)) if probability else None

    def _stream(self, what: str) -> Random:
        return self._world.streams.stream(f"{what} {self._way}")


def _one_bit_changed(data: bytes, stream: Random) -> bytes:
    bit = stream.randrange(8 * len(data))
    changed = bytearray(data)
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)
