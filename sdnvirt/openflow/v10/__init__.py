"""OpenFlow 1.0.0 (wire version 1): one module per family of messages, as in ``v13``.

``codec`` holds the table of message types; ``constants`` and ``error_codes`` the numbers, in
classes named by the specification's prefixes: ``OFPP.CONTROLLER`` is OFPP_CONTROLLER. The datapath
speaks the vocabulary of OpenFlow 1.3; ``translate`` turns what version 1.0 says into it and back.
"""
