# SPDX-License-Identifier: Apache-2.0
"""A host on which nova-compute must not start; it says why in one line."""

from collections.abc import Callable

import fixtures
from nova import exception
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import host as libvirt_host

from nova_pt_migrate.tests.functional import ours


class RefusingToStartTest(ours.OurMigrations):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def refusal(
        self,
        error: type[Exception],
        libvirt_version: int | None = None,
        qemu_version: int | None = None,
    ) -> str:
        """Return the one critical line of a compute that does not start."""
        self.assertRaises(
            error,
            self.start_compute,
            hostname='third',
            libvirt_version=libvirt_version,
            qemu_version=qemu_version,
        )
        self.assertNotIn('third', self.computes)
        self.ending.assert_called_once_with()
        (line,) = [
            line
            for line in self.log.output.splitlines()
            if line.startswith('nova-compute does not start')
        ]
        return str(line)

    def test_a_libvirt_too_old(self) -> None:
        line = self.refusal(exception.InternalError, libvirt_version=7_000_000)
        self.assertIn('libvirt version 8.0.0 or greater', line)
        self.assertIn('has libvirt 7.0.0', line)

    def test_a_qemu_too_old(self) -> None:
        line = self.refusal(exception.InternalError, qemu_version=5_002_000)
        self.assertIn('QEMU version 6.2.0 or greater', line)
        self.assertIn('QEMU 5.2.0', line)

    def test_a_libvirt_that_does_not_answer(self) -> None:
        def refuse(*_args: object, **_kwargs: object) -> None:
            raise fakelibvirt.make_libvirtError(
                fakelibvirt.libvirtError,
                'Failed to connect socket',
                error_code=fakelibvirt.VIR_ERR_SYSTEM_ERROR,
                error_domain=fakelibvirt.VIR_FROM_RPC,
            )

        self.useFixture(
            fixtures.MockPatchObject(
                libvirt_host.Host, 'get_connection', new=refuse_by(refuse)
            )
        )
        line = self.refusal(exception.HypervisorUnavailable)
        self.assertIn('libvirt does not answer at qemu:///system', line)

    def test_a_device_spec_that_names_no_device(self) -> None:
        entry = '{"address": "0000:99:00.0", "physical_network": "physnet4"}'
        self.flags(device_spec=[entry], group='pci')
        # Nova's tests forbid a look into sysfs.
        self.useFixture(
            fixtures.MockPatch(
                'nova.pci.utils.is_physical_function', return_value=False
            )
        )
        line = self.refusal(exception.InvalidConfiguration)
        self.assertIn(entry, line)
        self.assertIn('lspci', line)


def refuse_by(connect: Callable[[], object]) -> Callable[..., object]:
    """Return a get_connection that fails as Nova's does."""

    def get_connection(_host: object) -> object:
        try:
            return connect()
        except fakelibvirt.libvirtError as exc:
            raise exception.HypervisorUnavailable() from exc

    return get_connection
