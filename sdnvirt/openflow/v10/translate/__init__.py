"""Between OpenFlow 1.0 and the vocabulary of the datapath, which is that of OpenFlow 1.3.

``requests`` turns what a controller of version 1.0 sends into messages of 1.3, ``replies`` what the
switch answers into messages of 1.0; ``errors`` does so with refusals. All are pure functions.

What comes from 1.0 comes back unchanged in meaning: a match in its normal form (fields that do not
apply are wildcards), actions one for one, so that nothing need be remembered beside an entry. What
only 1.3 can say is told over 1.0 as far as 1.0 can tell it: fields and actions that it lacks are
left out.
"""
