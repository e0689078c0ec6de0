"""Messages in 64-byte reports."""

from __future__ import annotations

import fido2.hid
import pytest

from tests.software_key import SoftwareKey, plugged_in
from tests.software_key.framing import BROADCAST, Assembler, BadFrame, HidCommand, HidError, Message, packets


@pytest.mark.parametrize("length", [0, 1, 57, 58, 116, 117, 2048, 7609])
def test_a_message_of_any_length_arrives_whole(length: int) -> None:
    message = Message(7, HidCommand.PING, bytes(index % 251 for index in range(length)))
    assembler = Assembler()
    reports = list(packets(message))
    arrived = [assembler.feed(report) for report in reports]
    assert arrived == [None] * (len(reports) - 1) + [message]
    assert {len(report) for report in reports} == {64}


def test_a_packet_out_of_order_spoils_the_message() -> None:
    first, second, third = packets(Message(7, HidCommand.PING, bytes(150)))
    assembler = Assembler()
    assembler.feed(first)
    with pytest.raises(BadFrame) as caught:
        assembler.feed(third)
    assert caught.value.error is HidError.INVALID_SEQUENCE
    assert assembler.feed(second) is None


def test_a_command_on_a_channel_that_was_never_given_is_refused() -> None:
    with plugged_in(SoftwareKey()):
        (descriptor,) = fido2.hid.list_descriptors()
        connection = fido2.hid.open_connection(descriptor)
        (report,) = packets(Message(BROADCAST - 1, HidCommand.PING, b"hello"))
        connection.write_packet(report)
        answer = Assembler().feed(connection.read_packet())
    assert answer == Message(BROADCAST - 1, HidCommand.ERROR, bytes([HidError.INVALID_CHANNEL]))


def test_waiting_for_an_answer_to_nothing_is_told_to_the_test() -> None:
    with plugged_in(SoftwareKey()):
        (descriptor,) = fido2.hid.list_descriptors()
        with pytest.raises(AssertionError, match="never come"):
            fido2.hid.open_connection(descriptor).read_packet()
