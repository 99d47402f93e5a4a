"""OpenFlow 1.3 as the switch speaks it: one table of handlers, put together from its families."""
