"""The datapath of an OpenFlow switch: flow tables, pipeline, cache and explanations. Pure.

A frame goes in with its port and the time; programs of outputs come out. Nothing here knows of
links, controllers or clocks.
"""
