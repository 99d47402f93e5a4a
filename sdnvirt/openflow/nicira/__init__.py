"""Nicira's extensions of OpenFlow, as Open vSwitch understands them and Ryu speaks them.

Overlays need registers, tunnel addresses, connection tracking and learning, for which OpenFlow 1.3
has no words. The facts are those of Open vSwitch's manuals ovs-fields(7) and ovs-actions(7).
"""
