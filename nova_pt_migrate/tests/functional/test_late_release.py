# SPDX-License-Identifier: Apache-2.0
"""What a guest releases late comes back at once."""

from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours


class LateReleaseTest(ours.OurMigrations):
    UNPLUG_TIMEOUT = 1.0

    def test_a_device_that_leaves_after_the_deadline_comes_back(self) -> None:
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        device = whole.devices()[ports[-1]]
        self.double.settings.guest = guests.ByDevice(
            {device: guests.Never()}, guests.Together()
        )

        self.migrate(server, 'failed')
        whole.check(always.End(base.SOURCE, 'failed'))
        self.release(server, device)
        self.wait_for(
            lambda: self.double.calls.of(
                ours.PLUG, host=base.SOURCE, device=device
            ),
            'the plug of the device that left late',
        )

        whole.check(always.End(base.SOURCE, 'failed'))
