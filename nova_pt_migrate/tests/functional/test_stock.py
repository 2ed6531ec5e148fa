# SPDX-License-Identifier: Apache-2.0
"""With the double, Nova's own driver does what it is known to do.

That is the check of the double and of the harness: in Nova's own tests the
driver never detaches a VF, since its fake hides the device's address.
"""

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
