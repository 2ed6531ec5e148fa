# SPDX-License-Identifier: Apache-2.0
"""With the double, Nova's own driver does what it is known to do.

That is the check of the double and of the harness: in Nova's own tests the
driver never detaches a VF, since its fake hides the device's address.
"""

from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base


class StockTest(base.TwoComputes):
    DRIVER = base.STOCK

    def test_devices_are_detached_and_attached(self) -> None:
        ports = self.ports.direct(2) + self.ports.ordinary()
        server = self.boot(ports)
        whole = always.Always(self, server, ports)
        before = whole.devices()

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))
        for device in before.values():
            self.assertEqual(
                [2, 1],
                [
                    call.flags
                    for call in self.double.calls.of(
                        'detachDeviceFlags', host=base.SOURCE, device=device
                    )
                ],
            )
        for device in whole.devices().values():
            self.assertEqual(
                [3],
                [
                    call.flags
                    for call in self.double.calls.of(
                        'attachDeviceFlags',
                        host=base.DESTINATION,
                        device=device,
                    )
                ],
            )

    def test_a_kept_device_ends_in_error(self) -> None:
        """Else the look at everything would find nothing to complain of."""
        self.flags(
            group='libvirt',
            device_detach_attempts=1,
            device_detach_timeout=1,
        )
        self.double.settings.detach_wait = 0.5
        ports = self.ports.direct()
        server = self.boot(ports)
        whole = always.Always(self, server, ports)
        self.double.settings.guest = guests.Never()

        server = self.migrate(server, 'error')

        self.assertEqual('ERROR', server['status'])
        self.assertRaises(
            AssertionError, whole.check, always.End(base.SOURCE, 'error')
        )
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.assertEqual(1, len(documents.passthrough(machine.live)))
        self.assertEqual([], documents.passthrough(machine.persistent))
        self.assert_hosts_spoilt()
