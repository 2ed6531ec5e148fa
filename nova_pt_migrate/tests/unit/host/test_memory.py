# SPDX-License-Identifier: Apache-2.0

import pathlib

import fixtures
import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.host import memory


class TestAvailable(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.meminfo = folder / 'meminfo'
        self.useFixture(
            fixtures.MockPatchObject(memory, 'MEMINFO', self.meminfo)
        )

    def test_it_is_what_the_kernel_estimates(self) -> None:
        self.meminfo.write_text(
            'MemTotal:       24683852 kB\n'
            'MemFree:         1048576 kB\n'
            'MemAvailable:    2099200 kB\n'
            'Cached:          9048576 kB\n'
        )
        self.assertEqual(2050, memory.available_mib())

    def test_a_kernel_that_does_not_say(self) -> None:
        self.assertRaises(errors.HostError, memory.available_mib)
        self.meminfo.write_text('MemFree:         1048576 kB\n')
        self.assertRaises(errors.HostError, memory.available_mib)
