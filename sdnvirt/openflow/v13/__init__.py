"""OpenFlow 1.3.5 (wire version 4): one module per family of messages, as in the specification.

``codec`` holds the table of message types; ``oxm`` the table of match fields; ``constants`` and
``error_codes`` the numbers, in classes named by the specification's prefixes: ``OFPP.CONTROLLER``
is OFPP_CONTROLLER.
"""
