# SPDX-License-Identifier: Apache-2.0
"""What was prepared for a server that does not come is taken down there.

And nothing else: the hosts have the same addresses, and other servers have
devices at those that the server has on the other host.
"""

import threading
from typing import Any

import fixtures

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional.sweep import sweeping


class TakeDown(ours.OurMigrations):
    """A server with a trusted port is on the source."""

    def setUp(self) -> None:
        super().setUp()
        trusted, self.untrusted, another = self.ports.direct(3)
        # It gets the device that the server has on the source.
        self.bystander = always.Always(
            self, self.boot([another], host=base.DESTINATION), [another]
        )
        self.server, self.whole = self.prepare([trusted])
        self.assertEqual(
            set(self.whole.devices().values()),
            set(self.bystander.devices().values()),
        )
        (self.shared_address,) = self.whole.devices().values()
        self.functions = self.double.hypervisors[base.DESTINATION].functions
        del self.functions.changes[:]

    def fail_to_move(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )

    def prepared(self) -> str:
        """Return which device the destination was about to give."""
        (address,) = {each[0] for each in self.functions.changes} - {
            self.shared_address
        }
        return str(address)

    def assert_taken_down(self) -> None:
        """All is as it was, and the bystander has not noticed.

        Nova plugs its VIFs when nova-compute starts, as they are.
        """
        self.check_hosts()
        changes = self.functions.changes
        self.assertEqual(
            [(self.prepared(), 'trusted', value) for value in (True, False)],
            [each for each in changes if each[0] != self.shared_address],
        )
        self.assertNotIn((self.shared_address, 'trusted', False), changes)

    def assert_next_is_untrusted(self) -> None:
        """The next server at the destination gets the device untrusted."""
        address = self.prepared()
        server = self.boot([self.untrusted], host=base.DESTINATION)
        self.assertEqual(
            address,
            self.ports.show(self.untrusted)['binding:profile']['pci_slot'],
        )
        vf = self.double.hypervisors[base.DESTINATION].vfs()[address]
        self.assertFalse(vf.trusted)
        self.api.delete_server(server['id'])
        self._wait_until_deleted(server)


class RollbackTest(TakeDown):
    def test_the_server_stays(self) -> None:
        self.fail_to_move()
        self.migrate(self.server, 'failed')
        self.assert_taken_down()
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_next_is_untrusted()

    def test_it_is_tried_again(self) -> None:
        self.fail_to_move()
        self.migrate(self.server, 'failed')
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertNotIn(
            self.shared_address, [each[0] for each in self.functions.changes]
        )

    def test_its_device_is_given_to_another_meanwhile(self) -> None:
        """Nova frees the devices before it takes down (manager.py:10365)."""
        reached, going_on = threading.Event(), threading.Event()
        driver = self.computes[base.DESTINATION].driver
        rollback = driver.rollback_live_migration_at_destination

        def waiting(*args: Any, **kwargs: Any) -> None:
            reached.set()
            going_on.wait()
            rollback(*args, **kwargs)

        self.useFixture(
            fixtures.MockPatchObject(
                driver, 'rollback_live_migration_at_destination', new=waiting
            )
        )
        self.fail_to_move()

        def meanwhile() -> None:
            self.wait_for(reached.is_set, 'the rollback')
            self.boot([self.untrusted], host=base.DESTINATION)
            going_on.set()

        self.migrate(self.server, 'failed', meanwhile)

        self.assertEqual(
            self.prepared(),
            self.ports.show(self.untrusted)['binding:profile']['pci_slot'],
        )
        self.assert_taken_down()

    def test_the_kernel_refuses_once(self) -> None:
        """It stays claimed, and the lease tries again."""
        set_trust = self.functions.set_trust
        left = [errors.internal('ip: Interrupted system call')]

        def refusing(netdev: str, number: int, trusted: bool) -> None:
            if not trusted and left:
                raise left.pop()
            set_trust(netdev, number, trusted)

        self.useFixture(
            fixtures.MockPatchObject(self.functions, 'set_trust', new=refusing)
        )
        self.fail_to_move()
        self.migrate(self.server, 'failed')
        self.assert_taken_down()
        self.assertEqual([], left)
        self.whole.check(always.End(base.SOURCE, 'failed'))


class UnsharedTest(RollbackTest):
    """Nova deletes files at the destination, and unplugs there."""

    def setUp(self) -> None:
        super().setUp()
        self.unshare_instance_path()


class MacvtapTest(ours.OurMigrations):
    """Nova sets the MAC address and the VLAN of a VF, and clears them."""

    def setUp(self) -> None:
        super().setUp()
        self.unshare_instance_path()
        here, there = self.ports.macvtap(2)
        self.boot([there], host=base.DESTINATION)
        self.server = self.boot([here])
        profiles = [
            self.ports.show(port)['binding:profile'] for port in (here, there)
        ]
        self.assertEqual(profiles[0]['pci_slot'], profiles[1]['pci_slot'])

    def test_the_server_stays(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        server = self.migrate(self.server, 'failed')
        self.assertEqual('ACTIVE', server['status'])
        self.check_hosts()

    def test_the_server_moves(self) -> None:
        server = self.migrate(self.server)
        self.assertEqual('ACTIVE', server['status'])
        self.check_hosts()


class LeaseTest(TakeDown):
    """Nothing tells the destination that the server does not come."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)

    def lose_source(self) -> None:
        killed = self.processes.kill_at(
            base.SOURCE, 'libvirt', 'migrateToURI3'
        )
        self.api.post_server_action(
            self.server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        self.wait_for(killed.is_set, 'the crash')

    def fence(self) -> None:
        self.double.hypervisors[base.SOURCE].find(self.server['id']).stop()
        self.api.put_service_force_down(
            self.computes[base.SOURCE].service_ref.uuid, True
        )

    def assert_freed(self) -> None:
        """Nobody is given a device before it is taken down."""
        tracker = self.computes[base.DESTINATION].manager.rt
        self.wait_for(
            lambda: self.server['id'] not in pci_tracker.held(tracker),
            'the devices to be freed',
        )
        self.assert_taken_down()

    def test_the_source_is_lost(self) -> None:
        self.lose_source()
        self.fence()
        self.assert_freed()
        self.assert_next_is_untrusted()

    def test_the_destination_starts_anew_before(self) -> None:
        """It knows only from its records what was prepared."""
        self.lose_source()
        self.kill(base.DESTINATION)
        self.start_again(base.DESTINATION)
        self.fence()
        self.assert_freed()
        self.assert_next_is_untrusted()

    def test_the_destination_starts_anew_afterwards(self) -> None:
        """Its tracker frees the devices as it starts."""
        self.lose_source()
        self.kill(base.DESTINATION)
        self.fence()
        self.start_again(base.DESTINATION)
        self.wait_for(
            lambda: len(self.functions.changes) > 2, 'the device to be freed'
        )
        self.assert_freed()
        self.assert_next_is_untrusted()

    def test_the_preparation_fails(self) -> None:
        with sweeping.preparation_fails():
            self.migrate(self.server, 'failed')
        self.assert_taken_down()
        self.assert_next_is_untrusted()
