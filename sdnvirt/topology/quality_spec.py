"""The file form of what links do to frames: times, queues, impairments."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from sdnvirt.devices.disciplines.codel import INTERVAL_NS, TARGET_NS
from sdnvirt.devices.disciplines.red import Red
from sdnvirt.topology import fields as f
from sdnvirt.topology.model import Model, one_of, or_short, words, written
from sdnvirt.units import format_time


class LossSpec(Model):
    """Loss in bursts: a chain of a good and a bad state (Gilbert and Elliott)."""

    to_bad: f.Probability = Field(description="Share of frames that find the good state over.")
    to_good: f.Probability = Field(description="Share of frames that find the bad state over.")
    in_bad: f.Probability = written("100%", "Share lost in the bad state.")
    in_good: f.Probability = written("0%", "Share lost in the good state.")

    @classmethod
    def independent(cls, share: float) -> Self:
        """Return the loss of a share of all frames: a good state that does not end."""
        return cls.model_construct(to_bad=0.0, to_good=0.0, in_bad=0.0, in_good=share)


class JitterSpec(Model):
    """Deviations from the propagation delay, which stays 0 or more; one of three distributions."""

    normal: f.Time | None = Field(None, description="Standard deviation.")
    uniform: f.Time | None = Field(None, description="Most that is added or taken away.")
    table: list[f.SignedTime] | None = Field(
        None, min_length=1, description="Deviations, such as -1ms, that are equally frequent."
    )
    keep_order: f.Flag = Field(True, description="Whether no frame overtakes the one before it.")

    @model_validator(mode="after")
    def _one_distribution(self) -> Self:
        one_of(self, ("normal", "uniform", "table"))
        return self

    @classmethod
    def of_deviation(cls, deviation_ns: int) -> Self:
        """Return normal jitter that keeps the order."""
        return cls.model_construct(normal=deviation_ns, uniform=None, table=None, keep_order=True)


class RedSpec(Model):
    """Random early detection (Floyd and Jacobson 1993), by the average length of the queue."""

    min: f.Size = written(f"{Red().min_bytes // 1000}kB", "Nothing is lost early below this.")
    max: f.Size = written(f"{Red().max_bytes // 1000}kB", "Everything is lost from this on.")
    probability: f.Probability = written("10%", "Share that is lost just below ``max``.")
    ecn: f.Flag = Field(False, description="Mark what is ECN-capable, and keep it (RFC 3168).")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min >= self.max:
            raise words(f"a min of {self.min} B and a max of {self.max} B", "a min below max")
        return self


class CodelSpec(Model):
    """Controlled delay (RFC 8289)."""

    target: f.PositiveTime = written(format_time(TARGET_NS), "How long frames may always wait.")
    interval: f.PositiveTime = written(
        format_time(INTERVAL_NS), "How long they may wait longer: a round trip time."
    )
    ecn: f.Flag = Field(False, description="Mark what is ECN-capable, and keep it (RFC 3168).")


class TokenBucketSpec(Model):
    """A rate that bursts may pass."""

    rate: f.Rate = Field(description="Bits per second in the long run.")
    burst: f.PositiveSize = Field(description="What may go at once; a larger frame is lost.")


class DisciplineSpec(Model):
    """Who goes next, and who is lost, of the frames that wait for the transmitter."""

    tail_drop: f.On | None = Field(
        None, description="First in, first out; what is too much is lost."
    )
    red: RedSpec | None = Field(None, description="Loss before the queue is full.")
    codel: CodelSpec | None = Field(None, description="Loss when the queue stands.")
    token_bucket: TokenBucketSpec | None = Field(None, description="A limit of the rate.")
    priority: f.On | None = Field(
        None,
        description="Eight queues by the priority of the VLAN tag or the DSCP's first three bits; "
        "the highest first.",
    )

    @model_validator(mode="after")
    def _one_discipline(self) -> Self:
        one_of(self, tuple(type(self).model_fields))
        return self

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a discipline with its defaults."""
        kinds: dict[str, Any] = {
            "tail_drop": True,
            "red": RedSpec.model_validate({}),
            "codel": CodelSpec.model_validate({}),
            "priority": True,
        }
        return cls.model_construct(**{**dict.fromkeys(cls.model_fields), name: kinds[name]})


class LinkQuality(Model):
    """What a link does to frames, in each direction. Keys left out keep the default."""

    rate: f.Rate | None = Field(None, description="Bits per second. Default: no limit.")
    delay: f.Time | None = Field(None, description="Propagation delay. Default: 1us.")
    queue: f.Size | None = Field(
        None, description="What may wait for the transmitter; more is dropped. Default: 512KiB."
    )
    mtu: f.Mtu | None = Field(
        None,
        description="The largest IP packet, without Ethernet header and VLAN tag. "
        "Default: 1500; in the underlay 1600, so that VXLAN's 50 bytes fit.",
    )
    loss: Annotated[LossSpec | None, or_short(f.Probability, LossSpec, LossSpec.independent)] = (
        Field(None, description="Share of frames that are lost, or how. Default: 0%.")
    )
    jitter: Annotated[JitterSpec | None, or_short(f.Time, JitterSpec, JitterSpec.of_deviation)] = (
        Field(
            None,
            description="How the delay deviates; a time is the standard deviation of a normal one. "
            "Default: not at all.",
        )
    )
    reorder: f.Probability | None = Field(
        None,
        description="Share of frames that take no propagation delay, and so overtake others. "
        "Default: 0%.",
    )
    duplicate: f.Probability | None = Field(
        None, description="Share of frames that arrive twice. Default: 0%."
    )
    corrupt: f.Probability | None = Field(
        None,
        description="Share of frames that arrive with one bit changed, any one. Default: 0%.",
    )
    discipline: Annotated[
        DisciplineSpec | None, or_short(f.Discipline, DisciplineSpec, DisciplineSpec.named)
    ] = Field(
        None,
        description="The queue's discipline. Default: tail_drop.",
    )
