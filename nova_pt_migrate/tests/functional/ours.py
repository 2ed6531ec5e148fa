# SPDX-License-Identifier: Apache-2.0
"""Live migrations with our driver, and the count of what it really did."""

from collections.abc import Iterable
from typing import Any

from nova import conf as nova_conf

from nova_pt_migrate import conf
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import watch

LIVE = 1
NOVA_S = 'detachDeviceFlags'
OUR_UNPLUG = 'detachDeviceAlias'
PLUG = 'attachDeviceFlags'


class OurMigrations(base.TwoComputes):
    """Both computes run our driver.

    :cvar UNPLUG_TIMEOUT: longer than any moment of a busy machine, and
        short only where it is to pass
    """

    UNPLUG_TIMEOUT = 120.0
    UNPLUG_RETRY = 5.0
    LEASE = 1.0

    def setUp(self) -> None:
        super().setUp()
        self.deadly: list[str] = []
        guests = watch.GuestWatch(
            self.ctxt, self.double.hypervisors, self.deadly
        )
        self.processes.messages.append(guests.message)
        self.double.watches.append(guests.call)
        self.addCleanup(lambda: self.assertEqual([], self.deadly))

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        conf.register_opts(nova_conf.CONF)
        self.flags(
            group='pt_migrate',
            unplug_timeout=self.UNPLUG_TIMEOUT,
            unplug_retry_interval=self.UNPLUG_RETRY,
            claim_lease_interval=self.LEASE,
        )

    def stop_settling(self) -> None:
        """Let nothing be settled or freed that the hooks leave."""
        for compute in self.computes.values():
            compute.driver._pt.worker.stop()

    def release(self, server: dict[str, Any], *devices: str) -> None:
        """Have the guest on the source release devices, all if none is given.

        :param devices: their host PCI addresses
        """
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        for element in documents.passthrough(machine.live):
            if documents.host_address(element) in devices or not devices:
                machine.eject(documents.alias(element))

    def prepare(
        self, ports: list[str], volume: str | None = None
    ) -> tuple[dict[str, Any], always.Always]:
        """Boot a server on the source and remember what it has."""
        server = self.boot(ports, volume)
        return server, always.Always(self, server, ports)

    def assert_one_owner(
        self,
        unplugged: Iterable[tuple[str, str]],
        plugged: Iterable[tuple[str, str]],
    ) -> None:
        """Each device was unplugged once and plugged once, and by us only.

        Counts what libvirt was really asked; devices are told by their host
        and their PCI address there (:meth:`always.Always.places`).
        """
        calls = self.double.calls
        self.assertEqual([], calls.of(NOVA_S), "detached by Nova's own code")
        for name, devices in ((OUR_UNPLUG, unplugged), (PLUG, plugged)):
            self.assertEqual(
                [(host, (device,), LIVE) for host, device in sorted(devices)],
                sorted((c.host, c.devices, c.flags) for c in calls.of(name)),
                name,
            )

    def assert_plugged(self, host: str, devices: Iterable[str]) -> None:
        """These devices were plugged there, once each, and no others."""
        self.assertEqual(
            [((device,), LIVE) for device in sorted(devices)],
            sorted(
                (call.devices, call.flags)
                for call in self.double.calls.of(PLUG, host=host)
            ),
        )


def shown(
    test: Any,
    server: dict[str, Any],
    name: str = 'compute_check_can_live_migrate_destination',
) -> str:
    """Return what the server's actions tell of its last live migration.

    :param name: of the event, the check of a destination if not given
    """
    actions = test.api.get_instance_actions(server['id'])
    last = next(a for a in actions if a['action'] == 'live-migration')
    events = test.api.api_get(
        f'/servers/{server["id"]}/os-instance-actions/{last["request_id"]}'
    ).body['instanceAction']['events']
    return ' '.join(
        f'{event["details"]} {event["traceback"]}'
        for event in events
        if event['event'] == name
    )
