# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import agent
from nova_pt_migrate.guest import management
from nova_pt_migrate.guest import vendor_data
from nova_pt_migrate.guest.networks import contract
from nova_pt_migrate.tests.unit.guest import managed

MAC = managed.MAC
TWIN = pairs.twin(MAC)
NAME = contract.bond_name(MAC)


class TestKeeping(testtools.TestCase):
    def test_it_is_made_with_each_manager(self) -> None:
        for network in vendor_data.NETWORKS:
            guest = managed.Managed(network.unit)
            self.assertEqual(
                management.Outcome((), wrote=True), guest.keep(), network.unit
            )
            wanted = contract.WantedBond(NAME, MAC, TWIN, 'ens5', 'ens6')
            for file in network.files(wanted):
                self.assertEqual(file.content, guest.files[file.path])
            self.assertFalse([p for p in guest.files if p.endswith('.new')])

    def test_it_has_mtu_and_metric_of_the_nic(self) -> None:
        route = '[{"dst": "default", "dev": "ens5", "metric": 77}]'
        for network in vendor_data.NETWORKS:
            guest = managed.Managed(network.unit)
            guest.programs['ip'] = (0, route)
            guest.keep(mtu=8942)
            written = guest.written()
            self.assertRegex(written, r'(?i)mtu.*8942')
            self.assertRegex(written, r'(?i)metric[ =]77')
            # What the routes say later changes no file.
            before = guest.written()
            guest.programs['ip'] = (0, route.replace('77', '78'))
            guest.keep(mtu=8942)
            self.assertEqual(before, guest.written())

    def test_a_guest_that_lies_of_its_routes(self) -> None:
        for said in ('', '{}', '[]', '[1]', '[{"metric": -1}]', '[' * 9999,
                     '[{"metric": 4294967296}]', '[{"metric": "77"}]',
                     '[{"metric": true}]', '[{"metric": 1e3}]'):  # fmt: skip
            guest = managed.Managed()
            guest.programs['ip'] = (0, said)
            self.assertEqual((), guest.keep().problems, said)
            self.assertIn('RouteMetric=1024\n', guest.written())

    def test_one_that_is_whole_is_left_alone(self) -> None:
        guest = managed.Managed()
        guest.keep()
        before, guest.ran = len(guest.ran), []
        guest._ended.clear()
        guest.interfaces = [('ens5', MAC), ('ens6', MAC), (NAME, MAC)]
        self.assertEqual((), guest.keep().problems)
        self.assertGreater(before, len(guest.ran))
        self.assertEqual(
            {'systemctl', 'find'}, {argv[0] for argv in guest.ran}
        )

    def test_a_manager_that_does_nothing_is_told_of(self) -> None:
        guest = managed.Managed()
        guest.works = False
        found = guest.keep()
        self.assertIn('not there yet', found.problems[0])
        self.assertTrue(found.wrote)

    def test_a_bond_of_somebody_else_is_left_alone(self) -> None:
        guest = managed.Managed()
        guest.bond('bond0')
        found = guest.keep()
        self.assertIn('in bond0, which somebody else', found.problems[0])
        self.assertFalse(guest.ours())
        self.assertFalse(found.wrote)

    def test_a_conflict_is_named_and_nothing_written(self) -> None:
        guest = managed.Managed()
        guest.files['/etc/systemd/network/00-mine.network'] = ''
        found = guest.keep()
        self.assertIn('/etc/systemd/network/00-mine.network', str(found))
        self.assertFalse(guest.ours())

    def test_a_path_that_the_guest_makes_up_is_not_read(self) -> None:
        guest = managed.Managed()
        for path in ('/etc/shadow', '/etc/systemd/network/../../x\x1b[2J'):
            guest.files[path] = 'secret'
        guest.react = lambda argv: (
            (0, '\n'.join(guest.files))
            if argv[0] == 'find'
            else guest.manage(argv)
        )
        self.assertEqual((), guest.keep().problems)
        opened = {path for path, _ in guest._open.values()}
        self.assertIn('/sys/class/net/ens5/device/uevent', opened)
        self.assertNotIn('/etc/shadow', opened)
        self.assertFalse([path for path in opened if '..' in path])

    def test_an_agent_that_may_not_write(self) -> None:
        guest = managed.Managed()
        guest.enabled = [agent.LIST, *agent.READ_FILES]
        self.assertIn('allow guest-exec', guest.keep().problems[0])

    def test_an_agent_that_is_denied_what_it_offers(self) -> None:
        for command in ('guest-exec', 'guest-file-open', agent.LIST):
            guest = managed.Managed()
            guest.deny(command)
            (problem,) = guest.keep().problems
            self.assertIn('Permission denied', problem)

    def test_no_manager_and_no_nic(self) -> None:
        guest = managed.Managed('connman.service')
        self.assertIn('is active', guest.keep().problems[0])
        guest = managed.Managed()
        guest.interfaces = guest.interfaces[:1]
        self.assertIn(f'no free NIC {TWIN}', guest.keep().problems[0])

    def test_every_failure_is_told_and_none_raised(self) -> None:
        """Each call fails once, before and after it is done."""
        whole = managed.Managed()
        whole.keep()
        self.assertGreater(len(whole.asked), 20)
        for number in range(len(whole.asked)):
            for done in (False, True):
                guest = managed.Managed()
                _fail(guest, number, done)
                first = guest.keep()
                if first.problems and guest.ours():
                    self.assertTrue(first.wrote)
                again = guest.keep()
                self.assertEqual((), again.problems, str(number))


class TestUndoing(testtools.TestCase):
    def test_nothing_of_ours_is_left(self) -> None:
        for network in vendor_data.NETWORKS:
            guest = managed.Managed(network.unit)
            guest.files['/etc/hosts'] = 'mine'
            guest.keep()
            self.assertEqual(
                management.Outcome(), guest.manager().undo(MAC, TWIN)
            )
            self.assertFalse([path for path in guest.ours() if '/etc' in path])
            self.assertEqual('mine', guest.files['/etc/hosts'])

    def test_a_bond_is_ended_before_its_stanzas_are_gone(self) -> None:
        guest = managed.Managed('networking.service')
        guest.keep()
        guest.ran.clear()
        guest._ended.clear()
        guest.manager().undo(MAC, TWIN)
        ran = [argv[0] for argv in guest.ran]
        self.assertEqual(['ifdown', 'rm', 'ip', 'ifup'], ran[-4:])

    def test_it_is_tried_again_if_it_fails(self) -> None:
        guest = managed.Managed()
        guest.keep()
        guest.programs['rm'] = (1, '')
        guest.react = lambda argv: (
            (1, '') if argv[0] == 'rm' else guest.manage(argv)
        )
        found = guest.manager().undo(MAC, TWIN)
        self.assertIn('rm says', found.problems[0])
        self.assertTrue(found.wrote)


def _fail(guest: managed.Managed, number: int, done: bool) -> None:
    """Let one call of the agent fail, without or with its effect."""
    ask, count = guest.ask, iter(range(10_000))

    def failing(command: str, seconds: int) -> str:
        if next(count) != number:
            return ask(command, seconds)
        if done:
            ask(command, seconds)
        raise errors.GuestError('the agent has gone')

    guest.ask = failing  # type: ignore[method-assign]
