"""Messages, broken in every way that one field allows, sent to a running switch.

Of each message that the os-ken wheel has recorded for OpenFlow 1.3 and 1.0, and of one for each
kind of message of 1.0 that it has none of: every truncation, with
the length in the header as it was and made to fit; every byte set to each of BYTES; and each byte
and each 16-bit word, of which the length fields are some, set to each of LENGTHS, to one less and
one more than it was, and to the most. Each goes to the switch on a connection of its own. The
switch must answer as the specification says: refuse it with one error that the version has, carry
it out and send the reply that belongs to it, wait for bytes that the header announces, or close
the connection where the stream cannot be cut into messages any more. It must do so in time, and
must still forward packets afterwards. A sample of each message and kind of fault runs always, all
of it with ``--nightly``.
"""

from __future__ import annotations

import time
from random import Random
from typing import Final

import pytest

from sdnvirt.openflow.v10.constants import OFPT as OFPT10
from sdnvirt.openflow.v13.constants import OFPT
from tests.conformance.malformed.answers import check_greeting, check_replies
from tests.conformance.malformed.bench import Bench
from tests.conformance.malformed.faults import IN_THE_HEADER, Fault, faults_of, kind_of, sample_of
from tests.conformance.malformed.messages import MESSAGES
from tests.conformance.malformed.wire import HEADER, HELLO, barrier, hello, messages_of

RESTORED_EVERY: Final = 100
"""Variants between two looks at whether packets are still forwarded."""

TIME_LIMIT_S: Final = 0.1
"""For one message, in time of this process, so that a busy machine is not mistaken for a hang."""


def attack(bench: Bench, recorded: bytes, wire: bytes) -> None:
    """Send a broken message on a connection of its own, and check what comes back."""
    version, greets = recorded[0], recorded[1] == HELLO
    pieces = [wire, barrier(version)] if greets else [hello(version), wire, barrier(version)]
    if messages_of(wire)[1]:
        pieces.pop()  # the switch waits for the rest, and would take the barrier for it
    started = time.process_time()
    heard, closed = bench.converse(*pieces)
    if time.process_time() - started > TIME_LIMIT_S:
        started = time.process_time()  # a collection of garbage does not come twice in a row
        heard, closed = bench.converse(*pieces)
        assert time.process_time() - started < TIME_LIMIT_S
    if greets:
        check_greeting(b"".join(pieces), heard, closed)
    else:
        greeting = messages_of(heard)[0][0]
        assert greeting[1] == HELLO
        check_replies(version, b"".join(pieces[1:]), heard[len(greeting) :], closed)


def campaign(recorded: bytes, faults: list[Fault]) -> None:
    """Send a message with each fault to one switch, and see that it is none the worse."""
    bench = Bench()
    for number, fault in enumerate(faults):
        if number % RESTORED_EVERY == 0:
            bench.restore()
            assert bench.forwards(number)
        try:
            attack(bench, recorded, fault.of(recorded))
        except Exception as error:
            error.add_note(str(fault))
            raise
    bench.restore()
    assert bench.forwards(len(faults))
    assert bench.world.ledger.imbalance() == 0


each_message = pytest.mark.parametrize("name", MESSAGES)


@each_message
def test_a_sample_of_broken_messages_is_answered(name: str) -> None:
    message = MESSAGES[name]
    campaign(message, sample_of(faults_of(message), Random(name)))


def test_the_samples_have_all_types_of_messages_and_all_kinds_of_faults() -> None:
    for version, types in ((1, OFPT10), (4, OFPT)):
        of_version = {name: data for name, data in MESSAGES.items() if data[0] == version}
        assert {data[1] for data in of_version.values()} == set(types)
        for name, data in of_version.items():
            chosen = sample_of(faults_of(data), Random(name))
            # A message that is only a header cannot be shorter.
            least = 4 if len(data) > HEADER.size else 3
            assert len({kind_of(fault) for fault in chosen}) == least
            assert set(IN_THE_HEADER) <= set(chosen)


@pytest.mark.nightly
@each_message
def test_every_broken_message_is_answered(name: str) -> None:
    campaign(MESSAGES[name], faults_of(MESSAGES[name]))


@each_message
def test_a_message_is_answered(name: str) -> None:
    attack(Bench(), MESSAGES[name], MESSAGES[name])
