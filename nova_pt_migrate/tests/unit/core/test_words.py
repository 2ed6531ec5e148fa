# SPDX-License-Identifier: Apache-2.0
"""What is written down with the netdev of a standby."""

import testtools

from nova_pt_migrate.core import pairs

MAC = 'fa:16:3e:00:00:09'
PORT = '01234567-89ab-4cde-8f01-23456789abcd'
SERVER = '33333333-2222-4333-8444-555555555555'


class TestWords(testtools.TestCase):
    def test_what_is_written_is_read(self) -> None:
        for words in (pairs.Words(MAC, PORT, SERVER), pairs.Words(MAC)):
            self.assertEqual(words, pairs.read_words(str(words)))
            self.assertLess(len(str(words)), 256)

    def test_what_others_write_is_nothing(self) -> None:
        for words in (
            '',
            'uplink of rack 7',
            f'ua-pts-{PORT}',
            f'ua-pts-{PORT} {SERVER} {MAC}',
            f'port-{PORT} {MAC} {SERVER}',
            f'ua-pts-{PORT} {MAC} ',
            f'{MAC} {MAC}',
        ):
            self.assertIsNone(pairs.read_words(words), words)

    def test_a_name_is_of_one_port(self) -> None:
        words = pairs.Words(MAC, PORT, SERVER)
        self.assertTrue(words.fits('pts01234567-89'))
        self.assertFalse(words.fits('pts01234567-8a'))
        self.assertTrue(pairs.Words(MAC).fits('pts01234567-8a'))
