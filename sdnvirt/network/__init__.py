"""The live network: built from a topology, booted, run, and asked what happened.

This is the only owner of live objects. What it needs from above (a controller, a clock) it is
given.
"""
