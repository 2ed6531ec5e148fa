# SPDX-License-Identifier: Apache-2.0

import os
from typing import Any
from unittest import mock

import fixtures
from nova import objects
from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.compute.claims import fitness
from nova_pt_migrate.host import memory

NEEDED = 1024 + fitness.OVERHEAD_MIB


def instance(*pages: int | None) -> Any:
    """Return a server of 1 GiB.

    :param pages: size in KiB of the pages of each of its NUMA cells
    """
    topology = objects.InstanceNUMATopology(
        cells=[
            objects.InstanceNUMACell(id=number, pagesize=size)
            for number, size in enumerate(pages)
        ]
    )
    return objects.Instance(
        uuid=uuids.server,
        flavor=objects.Flavor(memory_mb=1024),
        numa_topology=topology if pages else None,
    )


class TestReasons(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        objects.register_all()

    def reasons(self, available: int, *pages: int | None) -> list[str]:
        self.useFixture(
            fixtures.MockPatchObject(
                memory, 'available_mib', lambda: available
            )
        )
        return fitness.short_of_memory('cmp2', instance(*pages))

    def test_enough(self) -> None:
        self.assertEqual([], self.reasons(NEEDED))

    def test_too_little_is_told_with_both_numbers(self) -> None:
        (reason,) = self.reasons(NEEDED - 1)
        for word in ('cmp2', uuids.server, str(NEEDED), str(NEEDED - 1)):
            self.assertIn(word, reason)

    def test_huge_pages_are_left_to_nova(self) -> None:
        self.assertEqual([], self.reasons(0, 2048))

    def test_numa_cells_on_ordinary_pages_are_not(self) -> None:
        small = os.sysconf('SC_PAGE_SIZE') // 1024
        self.assertEqual(1, len(self.reasons(0, None, small)))


class TestLost(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        objects.register_all()

    def test_a_server_without_devices_waits_for_no_tracker(self) -> None:
        data = objects.LibvirtLiveMigrateData(vifs=[])
        busy = mock.Mock(spec=['host'])
        self.assertEqual([], fitness.lost(busy, instance(), data))
