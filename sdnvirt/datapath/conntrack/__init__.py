"""Connection tracking: which connection a packet belongs to, and how it is translated.

Pure machines: packets, requests and the time in, verdicts out. The model is Open vSwitch's
userspace tracker (ovs-fields(7), ovs-actions(7)): TCP states are as coarse as those of OpenBSD's
packet filter, without the check of sequence numbers; connections are remembered only when they
are committed; a connection is established when packets of both directions were seen. Checksums
are not verified, and fragments not reassembled.
"""
