# SPDX-License-Identifier: Apache-2.0
"""How libvirt says in which state a domain is, and why.

For the same adapters as :mod:`contract`. Where a migrating guest is is told
from this, so a guest that has arrived must say so, paused or not.
"""

from typing import Any

from nova_pt_migrate.testing import contract_steps as steps

PAUSED_BY_USER = 1
"""VIR_DOMAIN_PAUSED_USER; Nova's fixture has no reasons."""
RUNNING_UNPAUSED = 5
"""VIR_DOMAIN_RUNNING_UNPAUSED."""
RUNNING_MIGRATED = 2
"""VIR_DOMAIN_RUNNING_MIGRATED."""


class StateContract(steps.Steps):
    """Tests of state, reason and job."""

    def job(self, domain: Any) -> int:
        return int(domain.jobStats()['type'])

    def arrive(self, domain: Any) -> Any:
        """Migrate, and return the domain at the destination."""
        uri, there, _ = self.adapter.destination()
        uuid = domain.UUIDString()
        self.migrate(
            domain,
            uri,
            {
                'persistent_xml': domain.XMLDesc(
                    self.adapter.libvirt.VIR_DOMAIN_XML_MIGRATABLE
                )
            },
        )
        return there.lookupByUUIDString(uuid)

    def test_state_and_info_agree(self) -> None:
        domain, _ = self.domain_and_alias()
        state, _ = domain.state()
        self.assertEqual(self.adapter.libvirt.VIR_DOMAIN_RUNNING, state)
        self.assertEqual(state, domain.info()[0])
        self.assertEqual(
            self.adapter.libvirt.VIR_DOMAIN_JOB_NONE, self.job(domain)
        )

    def test_a_user_pauses_and_resumes(self) -> None:
        domain, _ = self.domain_and_alias()
        with self.paused(domain):
            self.assertEqual(
                [self.adapter.libvirt.VIR_DOMAIN_PAUSED, PAUSED_BY_USER],
                list(domain.state()),
            )
            self.assertTrue(domain.isActive())
        self.assertEqual(
            [self.adapter.libvirt.VIR_DOMAIN_RUNNING, RUNNING_UNPAUSED],
            list(domain.state()),
        )

    def test_a_guest_that_has_arrived_runs_and_has_no_job(self) -> None:
        domain, alias = self.domain_and_alias()
        self.unplug(domain, alias)
        arrived = self.arrive(domain)
        self.assertEqual(
            [self.adapter.libvirt.VIR_DOMAIN_RUNNING, RUNNING_MIGRATED],
            list(arrived.state()),
        )
        self.assertEqual(
            self.adapter.libvirt.VIR_DOMAIN_JOB_NONE, self.job(arrived)
        )
        with self.assertRaises(self.adapter.libvirt.libvirtError) as caught:
            domain.state()
        self.assertEqual(
            self.adapter.libvirt.VIR_ERR_NO_DOMAIN,
            caught.exception.get_error_code(),
        )

    def test_a_paused_guest_arrives_as_paused_by_its_user(self) -> None:
        domain, alias = self.domain_and_alias()
        self.unplug(domain, alias)
        domain.suspend()
        arrived = self.arrive(domain)
        self.assertEqual(
            [self.adapter.libvirt.VIR_DOMAIN_PAUSED, PAUSED_BY_USER],
            list(arrived.state()),
        )
        self.assertEqual(
            self.adapter.libvirt.VIR_DOMAIN_JOB_NONE, self.job(arrived)
        )
