"""OpenFlow: bytes to messages and back, and the channel between a switch and a controller.

Pure: no sockets, no clock, no switch state. ``v13/`` holds the messages of OpenFlow 1.3.5; what all
versions share (header, HELLO, ERROR, ECHO, negotiation) stands beside it, so that another version
is another package like ``v13/`` and one line in the channel's table of codecs.
"""
