# SPDX-License-Identifier: Apache-2.0
"""Nova's hook that asks the host of a server whether it may leave."""

from typing import Any

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import accounts
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import precheck
from nova_pt_migrate.compute.hooks import base
from nova_pt_migrate.compute.hooks import handshake
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import choices
from nova_pt_migrate.compute.pairs import neutron
from nova_pt_migrate.compute.recovery import originals
from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons


class SourceCheckHooks(base.Hooks):
    """What our driver adds to Nova's check of a server that is to leave."""

    def check_can_live_migrate_source(
        self,
        context: Any,
        instance: Any,
        dest_check_data: Any,
        block_device_info: Any = None,
    ) -> Any:
        """Refuse what cannot work, with every reason, before Nova's checks.

        Nova asks for each host that it tries; the server is looked at once.

        :raises nova.exception.MigrationPreCheckError: nothing was changed;
            Nova tries the next host
        """
        self._pt_account(context, instance)
        network_info = instance.get_network_info()
        alone = choices.without_pair(instance, network_info)
        vifs = our_vifs.owned(network_info)
        if vifs or alone:
            told = self._pt.tell(context, instance)
            with phases.phase(
                phase_names.PhaseName.LOOK,
                instance.uuid,
                None,
                reporter=told,
            ) as phase:
                found = self._pt.readiness_cache.of(
                    context.request_id,
                    instance.uuid,
                    lambda: self._pt_look(instance, vifs),
                )
                readiness.refuse(
                    phase,
                    [
                        *alone,
                        *found.reasons,
                        *self._pt_leaving_ports(instance, vifs),
                    ],
                    handshake.reasons(
                        dest_check_data,
                        self._pt.protocols,
                        self._pt.settings.allow_stock_destination,
                    ),
                )
            if found.warnings:
                told.tell(
                    reasons.Failure(
                        reasons.Reason.NO_STANDBY, ' '.join(found.warnings)
                    )
                )
        data = super().check_can_live_migrate_source(
            context, instance, dest_check_data, block_device_info
        )
        if our_vifs.has_devices(instance, vifs):
            with precheck.refusing(self._pt.compute.host):
                originals.keep(instance, data, block_device_info)
        return data

    def _pt_account(self, context: Any, instance: Any) -> None:
        """Refuse a guest that has a device of which nobody knows whose it is.

        It is looked for in servers only that have devices by Nova's word.

        :raises nova.exception.MigrationPreCheckError: nothing was changed
        """
        if not our_vifs.has_devices(instance):
            return
        tracker = pci_tracker.tracker(self.virtapi)
        held = pci_tracker.held(tracker).get(instance.uuid) if tracker else ()
        if not held:
            return
        with precheck.refusing(tracker.host):
            precheck.refuse(
                self._pt.tell(context, instance),
                accounts.unaccounted(
                    self._pt.servers.domain(instance).observe().live,
                    instance,
                    instance.get_network_info(),
                    held,
                ),
                reasons.Reason.UNACCOUNTED,
            )

    def _pt_leaving_ports(
        self, instance: Any, vifs: list[our_vifs.Vif]
    ) -> list[str]:
        return [
            f'Port {port} is being detached: wait until the guest has '
            f'released its device, and migrate again.'
            for port in self._pt.detaching.under_way(
                instance.uuid, [vif['id'] for vif in vifs]
            )
        ]

    def _pt_look(self, instance: Any, vifs: list[Any]) -> readiness.Findings:
        return readiness.check(
            instance,
            vifs,
            self._pt.paired_ports.of(instance, instance.get_network_info()),
            self._pt.servers.observer(
                instance, self._pt.servers.domain(instance)
            ),
            neutron.ask,
        )
