"""Why groups and meters do what they do to a packet, for explanations; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sdnvirt.datapath.flow import Branch, Change, Flow, Police, Step, metered
from sdnvirt.datapath.groups import Group, LiveBucket
from sdnvirt.datapath.meters import LiveBand
from sdnvirt.datapath.rewriting.ip import raise_precedence
from sdnvirt.datapath.state import PipelineState
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPG, OFPGT, OFPMF, OFPP
from sdnvirt.openflow.v13.meters import DscpRemarkBand

Narration = list[str]

_CHOOSING: Final = (OFPGT.SELECT, OFPGT.FF)
"""Types of groups that choose among their buckets; the others use all they have."""


def choice(state: PipelineState, group: Group, chosen: tuple[LiveBucket, ...]) -> Iterator[str]:
    """Tell which buckets a group leaves out, and why it chose the one that it did.

    Args:
        state: the groups, and which ports are alive.
        group: the group.
        chosen: the buckets that it chose.
    """
    if group.type not in _CHOOSING:
        return
    weights = []
    for number, bucket in enumerate(group.buckets):
        if state.groups.bucket_lives(bucket, state.lives):
            weights.append(bucket.spec.weight)
        else:
            yield f"  group {group.group_id}: bucket {number} is left out: {_dead(bucket)}"
    for bucket in chosen:
        number = group.buckets.index(bucket)
        why = (
            "the first that is alive"
            if group.type == OFPGT.FF
            else f"by the flow's hash, with weight {bucket.spec.weight} of {sum(weights)}"
        )
        yield f"  group {group.group_id}: bucket {number} is chosen: {why}"


def _dead(bucket: LiveBucket) -> str:
    """Return what a bucket that is not alive watches, in words."""
    port, group = bucket.spec.watch_port, bucket.spec.watch_group
    watched = [] if port == OFPP.ANY else [f"port {oxm.IN_PORT.text(port)}"]
    watched += [] if group == OFPG.ANY else [f"group {group}"]
    return f"{' and '.join(watched)} {'is' if len(watched) == 1 else 'are'} not alive"


def as_meters_stand(flow: Flow, frame: Frame, now: int, narration: Narration) -> Flow:
    """Return the program that a packet would be taken through, if it came now.

    Args:
        flow: what is decided for packets like it.
        frame: the packet, as it arrived.
        now: virtual time, ns.
        narration: where to tell what each meter on its way says.
    """
    steps = tuple(_judged(flow.steps, frame, now, narration))
    return Flow(flow.in_port, steps, (), (), flow.basis, flow.reason, flow.detail, flow.deep)


def _judged(
    steps: tuple[Step, ...], frame: Frame, now: int, narration: Narration
) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Branch):
            yield Branch(tuple(_judged(step.steps, frame, now, narration)))
            continue
        if isinstance(step, Change):
            frame = frame.rewritten(step.rewrite(frame.data, step.value))
        if not isinstance(step, Police):
            yield step
            continue
        meter = step.meter
        band = meter.would_exceed(frame.size, now)
        if band is None:
            narration.append(f"meter {meter.meter_id} lets it pass, as it stands now")
            continue
        number = meter.bands.index(band)
        narration.append(
            f"meter {meter.meter_id} applies its band {number}, as it stands now: "
            f"{_band(band, meter.flags)}"
        )
        if not isinstance(band.spec, DscpRemarkBand):
            yield metered(meter, band)
            return
        levels = band.spec.prec_level
        raised = Change(raise_precedence, levels)
        yield raised
        frame = frame.rewritten(raised.rewrite(frame.data, levels))
        for level, instead in step.raised:
            if level == levels:
                yield from _judged(instead, frame, now, narration)
                return


def _band(band: LiveBand, flags: int) -> str:
    unit = "packets/s" if flags & OFPMF.PKTPS else "kbit/s"
    what = "dscp_remark" if isinstance(band.spec, DscpRemarkBand) else "drop"
    return f"{what}, over {band.spec.rate} {unit}"
