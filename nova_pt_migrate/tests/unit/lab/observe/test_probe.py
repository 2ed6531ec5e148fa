# SPDX-License-Identifier: Apache-2.0

import json
import unittest

from lab.observe import probe

IP_HEADER = bytes([0x45]) + bytes(19)


def _event(event: str, sequence: int, monotonic: float) -> str:
    return (
        json.dumps(
            {
                'event': event,
                'sequence': sequence,
                'monotonic': monotonic,
                'wall': 1000 + monotonic,
            }
        )
        + '\n'
    )


class PacketTest(unittest.TestCase):
    def test_the_checksum_of_a_whole_request_is_zero(self):
        self.assertEqual(0, probe.checksum(probe.request(77, 70000)))

    def test_an_answer_gives_its_sequence_number(self):
        reply = IP_HEADER + b'\0' + probe.request(77, 70000)[1:]
        self.assertEqual(70000, probe.answered(reply, 77))

    def test_packets_of_others_are_not_ours(self):
        request = IP_HEADER + probe.request(77, 1)
        other = IP_HEADER + b'\0' + probe.request(78, 1)[1:]
        short = IP_HEADER + b'\0\0\0\0'
        for packet in (request, other, short):
            self.assertIsNone(probe.answered(packet, 77))


class ReadTest(unittest.TestCase):
    def test_answers_are_joined_to_their_requests(self):
        lost, late = probe.read(
            [
                _event('sent', 0, 1.0),
                _event('sent', 1, 2.0),
                _event('answered', 1, 2.25),
                _event('answered', 1, 2.5),
            ]
        )
        self.assertIsNone(lost.delay)
        self.assertEqual((1002.0, 0.25), (late.sent, late.delay))

    def test_a_request_that_could_not_be_sent_is_lost(self):
        (sample,) = probe.read(
            [
                _event('sent', 0, 1.0),
                _event('refused', 0, 1.0),
            ]
        )
        self.assertIsNone(sample.delay)

    def test_a_line_that_is_being_written_is_left_out(self):
        lines = [_event('sent', 0, 1.0), _event('sent', 1, 2.0)[:-5]]
        self.assertEqual(1, len(probe.read(lines)))
