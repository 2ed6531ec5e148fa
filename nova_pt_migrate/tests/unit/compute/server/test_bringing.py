# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any

import fixtures
import testtools

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.server import bringing
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import vif_driver
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.core import act
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model
from nova_pt_migrate.core import order
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import waits
from nova_pt_migrate.host import xml as domain_xml
from nova_pt_migrate.testing import links
from nova_pt_migrate.tests.unit.compute import test_our_vifs
from nova_pt_migrate.tests.unit.core import fakes
from nova_pt_migrate.tests.unit.host import test_xml

HOME = order.Place.HOME
LEAVING = order.Place.LEAVING
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
    flavor = types.SimpleNamespace(extra_specs={})


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
        self.reporter = Reporter()

    def server(self, domain: Any) -> bringing.Server:
        wiring = vif_driver.VifWiring(
            self.vif_driver, Instance(), [vif(1), vif(2)]
        )
        return bringing.Server(
            Instance(),
            act.Hands(
                links.Links(),
                domain,
                wiring,
                time=waits.Time(domain.clock, lambda seconds: None),
                unplug=SETTINGS.unplug_timeout,
                retry=SETTINGS.unplug_retry_interval,
            ),
            [],
            None,
            lambda vif: f'<new port="{vif["id"]}"/>',
            SETTINGS,
            self.reporter,
        )

    def leave(self, domain: Any, *numbers: int) -> None:
        self.server(domain).bring(
            LEAVING,
            [vif(number) for number in numbers],
            migration='m',
            departure=self.departure,
        )

    def come_home(self, domain: Any, *numbers: int) -> Any:
        return self.server(domain).bring(
            HOME, [vif(number) for number in numbers]
        )

    def test_leaving_asks_the_guest_and_then_undoes_the_hosts_side(
        self,
    ) -> None:
        domain = fakes.Domain([1, 2])
        self.leave(domain, 1, 2)
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

    def test_a_guest_that_keeps_a_device_fails_the_departure(self) -> None:
        domain = fakes.Domain([1], {'hostdev1': 999.0})
        error = self.assertRaises(
            errors.NotUnplugged,
            self.leave,
            domain,
            1,
        )
        self.assertEqual(['0000:81:10.1'], list(error.failures))
        self.assertIn('result=unplug_failed', self.log.output)

    def test_a_failure_of_the_hosts_side_does_not_stop_it(self) -> None:
        domain = fakes.Domain([1])
        self.vif_driver.error = OSError('no such device')
        self.leave(domain, 1)
        self.assertIn('port-1', self.log.output)
        self.assertIn('no such device', self.log.output)

    def test_home_plugs_what_is_missing_with_a_deadline(self) -> None:
        domain = fakes.Domain([1])
        left = self.come_home(domain, 1, 2)
        self.assertEqual({}, left)
        self.assertEqual(
            [('<new port="port-2"/>', True, 62.0)], domain.plugged
        )
        self.assertEqual([('plug', 'port-2')], self.vif_driver.calls)

    def test_home_is_silent_where_all_is_there(self) -> None:
        domain = fakes.Domain([1])
        self.assertEqual({}, self.come_home(domain, 1))
        self.assertEqual('', self.log.output)

    def test_a_device_that_does_not_come_is_reported_not_raised(self) -> None:
        domain = fakes.Domain([])
        domain.plug_errors = {
            '<new port="port-1"/>': errors.PlugFailed('no slot')
        }
        left = self.come_home(domain, 1, 2)
        self.assertEqual(['no slot'], [str(each) for each in left.values()])
        self.assertEqual(1, len(domain.plugged))
        self.assertIn('result=plug_failed', self.log.output)
        self.assertIn('rebooted hard', self.log.output)

    def test_a_hosts_side_that_fails_is_a_device_that_does_not_come(
        self,
    ) -> None:
        domain = fakes.Domain([])
        self.vif_driver.error = OSError('no such device')
        (reason,) = self.come_home(domain, 1).values()
        self.assertIn('no such device', str(reason))
        self.assertEqual([], domain.plugged)

    def test_home_reports_a_libvirt_that_does_not_answer(self) -> None:
        domain = fakes.Domain([])
        domain.observe_errors = [errors.HostError('no connection')]
        left = self.come_home(domain, 1)
        self.assertEqual(['0000:81:10.1'], list(left))
        self.assertEqual('no connection', str(left['0000:81:10.1']))


class SettledDomain(fakes.Domain):
    """One VF at guest address 07:00.0, in both documents."""

    def observe(self) -> model.Found:
        found = domain_xml.devices(test_xml.domain(test_xml.VF))
        return model.Found(True, 1.0, found, found)
