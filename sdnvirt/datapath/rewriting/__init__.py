"""What actions do to a packet's bytes, by protocol family (OpenFlow 1.3.5, 5.12 and 7.2.5).

Every rewrite takes a frame and a value and returns the new frame. A packet that does not have what
is to be changed comes back as it was. Checksums are updated by what changed, so one that was wrong
stays wrong: a switch must not make a broken packet look whole.
"""
