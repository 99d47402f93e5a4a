"""Generated actions of Nicira's."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.conntrack import Conntrack, ConntrackClear, Nat, Range
from sdnvirt.openflow.nicira.learn import Learn, Purpose, Spec
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import SetField

u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
u64 = st.integers(0, (1 << 64) - 1)
ALL_FIELDS = (*oxm.FIELDS, *nxm.FIELDS)


@st.composite
def subfields(draw, most=64, fields=ALL_FIELDS):
    field = draw(st.sampled_from(fields))
    bits = draw(st.integers(1, min(field.bits, most)))
    return Subfield(field, draw(st.integers(0, field.bits - bits)), bits)


@st.composite
def loads(draw):
    dst = draw(subfields())
    return nx.RegLoad(dst, draw(st.integers(0, (1 << dst.bits) - 1)))


@st.composite
def loads2(draw):
    field = draw(st.sampled_from(nxm.FIELDS))
    if draw(st.booleans()):
        return nx.RegLoad2(field, draw(st.integers(0, field.limit)))
    mask = draw(st.integers(0, field.limit))
    return nx.RegLoad2(field, draw(st.integers(0, field.limit)) & mask, mask)


@st.composite
def moves(draw):
    src = draw(subfields(most=128))
    field = draw(st.sampled_from([field for field in ALL_FIELDS if field.bits >= src.bits]))
    return nx.RegMove(src, Subfield(field, draw(st.integers(0, field.bits - src.bits)), src.bits))


def ranges(limit):
    return st.none() | st.tuples(st.integers(0, limit), st.integers(0, limit)).map(
        lambda ends: Range(min(ends), max(ends))
    )


nats = st.builds(Nat, u16, ranges((1 << 32) - 1), ranges((1 << 128) - 1), ranges(0xFFFF))
zones = u16 | subfields(fields=nxm.REGS).map(
    lambda some: Subfield(some.field, some.offset & 15, 16)
)
marks = st.builds(SetField, st.just(nxm.CT_MARK), u32)
tracks = st.builds(
    Conntrack, u16, zones, u8, u16, st.lists(nats | loads() | marks, max_size=3).map(tuple)
)


@st.composite
def specs(draw):
    purpose = draw(st.sampled_from(Purpose))
    dst = None if purpose is Purpose.OUTPUT else draw(subfields())
    if dst is None:
        src = draw(subfields(most=32))
        return Spec(purpose, src, None, src.bits)
    if draw(st.booleans()):
        return Spec(purpose, draw(st.integers(0, (1 << dst.bits) - 1)), dst, dst.bits)
    field = draw(st.sampled_from([field for field in ALL_FIELDS if field.bits >= dst.bits]))
    src = Subfield(field, draw(st.integers(0, field.bits - dst.bits)), dst.bits)
    return Spec(purpose, src, dst, dst.bits)


learns = st.builds(
    Learn, u16, u16, u16, u64, u16, u8, u16, u16, st.lists(specs(), max_size=4).map(tuple)
)
nicira_actions = st.one_of(
    loads(), loads2(), moves(), tracks, learns,
    st.builds(nx.OutputReg, subfields(most=32), u16),
    st.builds(nx.OutputReg2, subfields(most=32), u16),
    st.builds(nx.Resubmit, u16),
    st.builds(nx.ResubmitTable, u16, u8),
    st.builds(nx.SetTunnel, u32),
    st.builds(nx.SetTunnel64, u64),
    st.builds(nx.Controller, u16, u16, u8),
    st.integers(0, 3).flatmap(lambda n: st.binary(min_size=6 + 8 * n, max_size=6 + 8 * n))
    .map(nx.Note),
    st.just(nx.Exit()), st.just(ConntrackClear()),
)  # fmt: skip


@pytest.fixture(scope="session")
def any_nicira_action():
    """Return the strategy of all actions."""
    return nicira_actions
