# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any

from nova import exception
from nova.compute import power_state
import testtools

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons
from nova_pt_migrate.testing import views
from nova_pt_migrate.tests.unit.compute import test_our_vifs
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.core import fakes
from nova_pt_migrate.tests.unit.guest import fakes as guests

INSTANCE = types.SimpleNamespace(
    uuid='the-server', power_state=power_state.RUNNING
)


class Looking(testtools.TestCase):
    def look(
        self,
        vif: Any = test_our_vifs.VF,
        ports: Any = (),
        domain: Any = None,
        instance: Any = INSTANCE,
        ask: Any = None,
    ) -> readiness.Findings:
        return readiness.check(
            instance,
            [vif],
            ports,
            observer.Observer(
                domain or fakes.Domain([]), guests.Guest([]).agent
            ),
            ask or (lambda _paired_ports: self.fail('Neutron is asked')),
        )


class TestLook(Looking):
    def test_every_reason_is_given_at_once(self) -> None:
        paused = types.SimpleNamespace(
            uuid='the-server', power_state=power_state.PAUSED
        )
        vif = test_our_vifs.vif('the-port', 'direct', 'ovs')
        ports = test_paired_ports.own('failover') + test_paired_ports.own(
            'bond'
        )
        found = self.look(vif, ports, instance=paused).reasons
        self.assertEqual(4, len(found))
        self.assertIn('the-port', found[0])
        self.assertIn('paused', found[1])
        self.assertIn('no standby in the guest', found[2])

    def test_a_server_that_is_well(self) -> None:
        self.assertEqual(readiness.Findings(), self.look())

    def test_a_standby_that_is_only_preferred_is_a_warning(self) -> None:
        found = self.look(
            ports=test_paired_ports.own('bond', need='preferred')
        )
        self.assertEqual([], found.reasons)
        self.assertIn('no standby in the guest', found.warnings[0])

    def test_a_network_that_is_not_mapped_is_named(self) -> None:
        (reason,) = self.look(
            ports=test_paired_ports.own('bond', uplinks={})
        ).reasons
        self.assertIn('physical network physnet1', reason)
        self.assertIn('standby_uplinks', reason)

    def test_a_libvirt_that_does_not_answer_is_a_reason(self) -> None:
        domain = fakes.Domain([])
        domain.observe_errors = [errors.HostError('no connection')]
        (text,) = self.look(domain=domain).reasons
        self.assertIn('no connection', text)


class TestTwoPorts(Looking):
    """Neutron is asked about them, in the pre-check."""

    def seen(
        self, need: str, ask: Any, there: bool = True
    ) -> readiness.Findings:
        domain = fakes.Domain([])
        domain.targets = {'tap3': 'fa:16:3e:00:00:03'} if there else {}
        return self.look(
            ports=test_paired_ports.over_two(need), domain=domain, ask=ask
        )

    def wrong(self, ports: Any) -> readiness.TwoPorts:
        (paired,) = ports
        return {
            paired.pair.port: views.ports(standby={'up': False, 'groups': ()})
        }

    def test_what_is_wrong_is_a_reason_where_it_is_required(self) -> None:
        found = self.seen('required', self.wrong)
        (reason,) = found.reasons
        self.assertIn('--enable', reason)
        (doubt,) = found.warnings
        self.assertIn('--security-group', doubt)

    def test_it_is_a_warning_where_it_is_preferred(self) -> None:
        found = self.seen('preferred', self.wrong)
        self.assertEqual([], found.reasons)
        self.assertEqual(2, len(found.warnings))

    def test_a_standby_of_ours_from_before_the_second_port(self) -> None:
        domain = fakes.Domain([])
        domain.targets = {
            'tap3': 'fa:16:3e:00:00:03',
            'pts11111111-22': test_paired_ports.TWIN,
        }
        (reason,) = self.look(
            ports=test_paired_ports.over_two('preferred'),
            domain=domain,
            ask=lambda _paired_ports: {},
        ).reasons
        self.assertIn('reboot the server hard', reason)

    def test_a_neutron_that_does_not_answer(self) -> None:
        def ask(_paired_ports: Any) -> Any:
            raise errors.HostError('Neutron has not answered for 15 s')

        (reason,) = self.seen('required', ask).reasons
        self.assertIn(test_paired_ports.PORT, reason)
        self.assertIn('not answered', reason)
        found = self.seen('preferred', ask, there=False)
        self.assertEqual([], found.reasons)
        self.assertIn('not answered', found.warnings[0])
        self.assertIn('no standby in the guest', found.warnings[1])


class TestRefuse(testtools.TestCase):
    def refused(self, own: list[str], peer: list[str]) -> phases.Phase:
        phase = phases.Phase(phase_names.PhaseName.LOOK, None, ())
        self.assertRaises(
            exception.MigrationPreCheckError,
            readiness.refuse,
            phase,
            own,
            peer,
        )
        return phase

    def test_the_code_says_whose_fault_it_is(self) -> None:
        for own, peer, code in (
            (['A.'], ['B.'], reasons.Reason.NOT_READY),
            ([], ['B.'], reasons.Reason.PEER),
        ):
            self.assertIs(code, self.refused(own, peer).failures[''].reason)

    def test_nothing_to_refuse(self) -> None:
        readiness.refuse(
            phases.Phase(phase_names.PhaseName.LOOK, None, ()), [], []
        )
