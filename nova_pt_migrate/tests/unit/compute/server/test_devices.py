# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
from typing import Any
from typing import cast

import fixtures
import testtools

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import devices
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model
from nova_pt_migrate.core import reasons
from nova_pt_migrate.host import xml as domain_xml
from nova_pt_migrate.tests.unit.compute import test_our_vifs
from nova_pt_migrate.tests.unit.core import fakes
from nova_pt_migrate.tests.unit.host import test_xml

SETTINGS = configuration.Settings(
    unplug_timeout=30.0,
    unplug_retry_interval=5.0,
    plug_timeout=60.0,
    plug_timeout_per_gib=2.0,
    claim_lease_interval=10.0,
    allow_stock_destination=False,
    pairings=('none',),
    standby='required',
    bond='prepare',
    guest_networks=(),
    standby_uplinks={},
    mac_filters='one',
    agent_timeout=10.0,
)


class Instance(dict[str, Any]):
    uuid = 'the-server'


class Pairs:
    """Remembers in which order the pairs were switched."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.error: Exception | None = None
        self.settled = True
        self.quiet: list[str] = []
        self.stop: Callable[[], bool] = lambda: False

    def check(self) -> None:
        self.calls.append('check')
        if isinstance(self.error, errors.Refused):
            raise self.error

    def over(self, stop: Callable[[], bool]) -> list[str]:
        self.calls.append('over')
        self.stop = stop
        if self.error:
            raise self.error
        return self.quiet

    def alone(self) -> None:
        self.calls.append('alone')

    def lack(self, live: Any) -> None:
        self.calls.append(('lack', sorted(live)))

    def back(self, live: Any) -> bool:
        self.calls.append(('back', sorted(live)))
        return self.settled

    def silence(self) -> None:
        self.calls.append('silence')


class Reporter:
    """Keeps what users are told."""

    def __init__(self) -> None:
        self.begun: list[phases.Phase] = []
        self.ended: list[phases.Phase] = []
        self.remarks: list[reasons.Failure] = []

    def begin(self, phase: phases.Phase) -> None:
        self.begun.append(phase)

    def end(self, phase: phases.Phase) -> None:
        self.ended.append(phase)

    def remark(self, failure: reasons.Failure) -> None:
        self.remarks.append(failure)


class VifDriver:
    """Nova's VIF driver, as far as it is used."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def plug(self, instance: Any, vif: Any) -> None:
        self.calls.append(('plug', vif['id']))
        if self.error:
            raise self.error

    def unplug(self, instance: Any, vif: Any) -> None:
        self.calls.append(('unplug', vif['id']))
        if self.error:
            raise self.error


class MigrateVif:
    """A VIFMigrateData, as far as it is used."""

    def __init__(self, source: Any, destination: Any) -> None:
        self.source_vif = source
        self._destination = destination

    def get_dest_vif(self) -> Any:
        return self._destination


def vif(number: int) -> Any:
    return test_our_vifs.vif(
        f'port-{number}',
        'direct',
        'hw_veb',
        pci_slot=fakes.device(number).address,
    )


class ServerTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.vif_driver = VifDriver()
        self.departure = departures.Departure()
        self.pairs = Pairs()
        self.reporter = Reporter()

    def server(self, domain: Any) -> devices.Server:
        return devices.Server(
            Instance(),
            domain,
            self.vif_driver,
            lambda vif: f'<new port="{vif["id"]}"/>',
            SETTINGS,
            cast(Any, self.pairs),
            clock=domain.clock,
            reporter=self.reporter,
        )

    def test_leaving_asks_the_guest_and_then_undoes_the_hosts_side(
        self,
    ) -> None:
        domain = fakes.Domain([1, 2])
        self.server(domain).leave([vif(1), vif(2)], 'm', self.departure)
        self.assertEqual({}, domain.live)
        self.assertEqual(
            [('unplug', 'port-1'), ('unplug', 'port-2')],
            self.vif_driver.calls,
        )
        self.assertIn(
            'phase=unplug event=end server=the-server migration=m '
            'devices=0000:81:10.1,0000:81:10.2 result=ok',
            self.log.output,
        )

    def test_the_pairs_are_switched_around_it(self) -> None:
        domain = fakes.Domain([1])
        self.server(domain).leave([vif(1)], 'm', self.departure)
        self.assertEqual(['check', 'over', 'alone'], self.pairs.calls)

    def test_a_standby_on_which_nothing_arrives_is_told_of(self) -> None:
        domain = fakes.Domain([1])
        self.pairs.quiet = ['nothing on one', 'nothing on two']
        self.server(domain).leave([vif(1)], 'm', self.departure)
        self.assertEqual({}, domain.live)
        (told,) = self.reporter.remarks
        self.assertIs(reasons.Reason.QUIET, told.reason)
        self.assertEqual('nothing on one nothing on two', told.text)
        (phase,) = self.reporter.ended
        self.assertEqual({}, phase.failures)

    def test_an_abort_ends_the_wait_for_what_arrives(self) -> None:
        domain = fakes.Domain([1])
        self.server(domain).leave([vif(1)], 'm', self.departure)
        self.assertFalse(self.pairs.stop())
        self.departure.abort()
        self.assertTrue(self.pairs.stop())
        self.assertEqual([], self.reporter.remarks)

    def test_nothing_is_asked_where_a_pair_is_not_ready(self) -> None:
        domain = fakes.Domain([1])
        self.pairs.error = errors.Refused(['no bond'])
        self.assertRaises(
            errors.Refused,
            self.server(domain).leave,
            [vif(1)],
            'm',
            self.departure,
        )
        self.assertEqual([], domain.requests)
        self.assertEqual(['check'], self.pairs.calls)

    def test_nothing_is_asked_where_a_standby_does_not_carry(self) -> None:
        domain = fakes.Domain([1])
        self.pairs.error = errors.NotSwitched('no link')
        self.assertRaises(
            errors.NotSwitched,
            self.server(domain).leave,
            [vif(1)],
            'm',
            self.departure,
        )
        self.assertEqual([], domain.requests)
        self.assertIn('result=not_switched', self.log.output)

    def test_the_pairs_are_switched_back_to_what_is_there(self) -> None:
        domain = fakes.Domain([1])
        self.server(domain).come_home([vif(1), vif(2)])
        self.server(domain).come_home([vif(1)])
        there = ['0000:81:10.1']
        self.assertEqual(
            [('lack', there), ('back', there), ('back', there)],
            self.pairs.calls,
        )

    def test_a_guest_that_keeps_a_device_fails_the_departure(self) -> None:
        domain = fakes.Domain([1], {'hostdev1': 999.0})
        error = self.assertRaises(
            errors.NotUnplugged,
            self.server(domain).leave,
            [vif(1)],
            'm',
            self.departure,
        )
        self.assertEqual(['0000:81:10.1'], list(error.failures))
        self.assertIn('result=unplug_failed', self.log.output)

    def test_a_failure_of_the_hosts_side_does_not_stop_it(self) -> None:
        domain = fakes.Domain([1])
        self.vif_driver.error = OSError('no such device')
        self.server(domain).leave([vif(1)], 'm', self.departure)
        self.assertIn('port-1', self.log.output)
        self.assertIn('no such device', self.log.output)

    def test_home_plugs_what_is_missing_with_a_deadline(self) -> None:
        domain = fakes.Domain([1])
        left = self.server(domain).come_home([vif(1), vif(2)])
        self.assertEqual({}, left)
        self.assertEqual(
            [('<new port="port-2"/>', True, 62.0)], domain.plugged
        )
        self.assertEqual([('plug', 'port-2')], self.vif_driver.calls)

    def test_home_is_silent_where_all_is_there(self) -> None:
        domain = fakes.Domain([1])
        self.assertEqual({}, self.server(domain).come_home([vif(1)]))
        self.assertEqual('', self.log.output)

    def test_a_device_that_does_not_come_is_reported_not_raised(self) -> None:
        domain = fakes.Domain([])
        domain.plug_errors = {
            '<new port="port-1"/>': errors.PlugFailed('no slot')
        }
        left = self.server(domain).come_home([vif(1), vif(2)])
        self.assertEqual(['no slot'], [str(each) for each in left.values()])
        self.assertEqual(1, len(domain.plugged))
        self.assertIn('result=plug_failed', self.log.output)
        self.assertIn('rebooted hard', self.log.output)

    def test_a_hosts_side_that_fails_is_a_device_that_does_not_come(
        self,
    ) -> None:
        domain = fakes.Domain([])
        self.vif_driver.error = OSError('no such device')
        (reason,) = self.server(domain).come_home([vif(1)]).values()
        self.assertIn('no such device', str(reason))
        self.assertEqual([], domain.plugged)

    def test_home_reports_a_libvirt_that_does_not_answer(self) -> None:
        domain = fakes.Domain([])
        domain.observe_errors = [errors.HostError('no connection')]
        left = self.server(domain).come_home([vif(1)])
        self.assertEqual(['0000:81:10.1'], list(left))
        self.assertEqual('no connection', str(left['0000:81:10.1']))


class SettledDomain(fakes.Domain):
    """One VF at guest address 07:00.0, in both documents."""

    def observe(self) -> model.Found:
        found = domain_xml.devices(test_xml.domain(test_xml.VF))
        return model.Found(True, 1.0, found, found)
