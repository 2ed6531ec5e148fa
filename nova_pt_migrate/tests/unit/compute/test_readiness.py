# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any

from nova.compute import power_state
import testtools

from nova_pt_migrate.compute import readiness
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model
from nova_pt_migrate.pairing import contract
from nova_pt_migrate.tests.unit.compute import test_ports
from nova_pt_migrate.tests.unit.core import fakes


class Grumbling(contract.Pairing):
    def reasons_not_ready(self, found: model.Found) -> tuple[str, ...]:
        return ('One.', 'Two.')


class TestReasons(testtools.TestCase):
    def reasons(self, state: int, vif: Any, domain: Any) -> list[str]:
        instance = types.SimpleNamespace(uuid='the-server', power_state=state)
        return readiness.reasons(instance, [vif], domain, [Grumbling()])

    def test_every_reason_is_given_at_once(self) -> None:
        vif = test_ports.vif('the-port', 'direct', 'ovs')
        found = self.reasons(power_state.PAUSED, vif, fakes.Domain([]))
        self.assertEqual(4, len(found))
        self.assertIn('the-port', found[0])
        self.assertIn('paused', found[1])
        self.assertEqual(['One.', 'Two.'], found[2:])

    def test_only_the_pairing_speaks_of_a_server_that_is_well(self) -> None:
        found = self.reasons(
            power_state.RUNNING, test_ports.VF, fakes.Domain([])
        )
        self.assertEqual(['One.', 'Two.'], found)

    def test_a_libvirt_that_does_not_answer_is_a_reason(self) -> None:
        domain = fakes.Domain([])
        domain.observe_errors = [errors.HostError('no connection')]
        (text,) = self.reasons(power_state.RUNNING, test_ports.VF, domain)
        self.assertIn('no connection', text)
