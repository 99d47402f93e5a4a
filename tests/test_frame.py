"""Frames and their provenance."""

from __future__ import annotations

from sdnvirt.frame import NOBODY, Frame, Provenance


def test_a_rewritten_frame_is_a_new_one_of_the_same_origin():
    provenance = Provenance(7, "h1", "acme", "acme/web", 3)
    frame = Frame(b"old", provenance, tunnel=5001)
    frame.key = b"key"
    new = frame.rewritten(b"newer")
    assert (frame.data, frame.size, frame.key) == (b"old", 3, b"key")
    assert (new.data, new.size, new.tunnel_id) == (b"newer", 5, 5001)
    assert new.provenance is provenance


def test_a_key_does_not_outlive_the_bytes_that_it_was_made_of():
    frame = Frame(b"old")
    frame.key = b"key"
    assert frame.rewritten(b"new").key is None


def test_a_rewrite_may_take_the_tunnel_id_away():
    assert Frame(b"", tunnel=5001).rewritten(b"", 0).tunnel_id == 0


def test_frames_made_outside_any_network_are_of_nobody():
    assert Frame(b"").provenance is NOBODY
    assert repr(Frame(b"abc")) == "<Frame 3 B of <packet 0 of nobody>>"


def test_tunnel_metadata_is_an_id_and_two_addresses():
    frame = Frame(b"", tunnel=(0x0A000001 << 32 | 0x0A000002) << 64 | 5001)
    assert (frame.tunnel_id, frame.tunnel_src, frame.tunnel_dst) == (5001, 0x0A000001, 0x0A000002)
    plain = Frame(b"", tunnel=5001)
    assert (plain.tunnel_id, plain.tunnel_src, plain.tunnel_dst) == (5001, 0, 0)
