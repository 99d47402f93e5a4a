"""The room of the observers: pcapng files, captures, packet stories and the trace digest.

All are taps: they see the frames of ports and change nothing that a device could notice.
"""
