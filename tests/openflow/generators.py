"""What the generated messages of all versions are made of."""

from __future__ import annotations

from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4, Mac

u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
u64 = st.integers(0, (1 << 64) - 1)
blobs = st.binary(max_size=40)
blobs8 = st.integers(0, 3).flatmap(lambda n: st.binary(min_size=8 * n, max_size=8 * n))
texts = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=15)
macs = st.binary(min_size=6, max_size=6).map(Mac)
ipv4s = st.binary(min_size=4, max_size=4).map(Ipv4)


def tuples_of(strategy, most=3):
    return st.lists(strategy, max_size=most).map(tuple)


def messages_of_entries(message, kind, entries, more=None):
    """Generate messages of a kind, as multipart messages and statistics are.

    Args:
        message: the class of the message.
        kind: what it is about.
        entries: what generates the entries of each class.
        more: what generates whether others continue it.
    """
    body = message.BODIES[kind]
    if body.entry is None:
        found = st.just(())
    elif body.single:
        found = st.tuples(entries[body.entry])
    else:
        found = tuples_of(entries[body.entry])
    return st.builds(message, st.just(kind), found, st.booleans() if more is None else more)
