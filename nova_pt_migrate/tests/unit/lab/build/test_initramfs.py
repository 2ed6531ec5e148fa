# SPDX-License-Identifier: Apache-2.0

import stat
import unittest

from lab.build import initramfs

FIELDS = 13
HEAD = 6 + 8 * FIELDS


def _read(archive: bytes) -> list[tuple[str, int, bytes]]:
    """Read an archive as cpio(5) describes the new ASCII format."""
    entries: list[tuple[str, int, bytes]] = []
    place = 0
    while True:
        assert archive[place : place + 6] == b'070701'
        fields = [
            int(archive[start : start + 8], 16)
            for start in range(place + 6, place + HEAD, 8)
        ]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = archive[place + HEAD : place + HEAD + name_size - 1].decode()
        if name == 'TRAILER!!!':
            return entries
        place += -(-(HEAD + name_size) // 4) * 4
        entries.append((name, mode, archive[place : place + size]))
        place += -(-size // 4) * 4


class ArchiveTest(unittest.TestCase):
    def test_gives_back_what_was_put_in(self):
        entries = [
            ('bin', stat.S_IFDIR | 0o755, b''),
            ('bin/busybox', stat.S_IFREG | 0o755, b'12345'),
            ('bin/sh', stat.S_IFLNK | 0o777, b'busybox'),
            ('init', stat.S_IFREG | 0o755, b'1234'),
        ]
        self.assertEqual(entries, _read(initramfs.archive(entries)))

    def test_each_entry_is_a_file_of_its_own(self):
        packed = initramfs.archive([('a', 0, b''), ('b', 0, b'')])
        first, second = packed[6:14], packed[112 + 6 : 112 + 14]
        self.assertNotEqual(first, second)
