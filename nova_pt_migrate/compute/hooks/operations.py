# SPDX-License-Identifier: Apache-2.0
"""Nova's operations to which this driver adds little but to give way.

Whatever is done for the server without being asked ends before they begin.
"""

from typing import Any

from nova_pt_migrate.compute.hooks import base
from nova_pt_migrate.core import order


class OperationHooks(base.Hooks):
    """Nova's methods, each as an operation."""

    @base.operation('a reboot')
    def reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        reboot_type: str,
        block_device_info: Any = None,
        bad_volumes_callback: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        """Reboot, in whatever way."""
        super().reboot(
            context, instance, network_info, reboot_type, block_device_info,
            bad_volumes_callback, accel_info, share_info,
        )  # fmt: skip

    @base.operation('a stop')
    def power_off(
        self, instance: Any, timeout: int = 0, retry_interval: int = 0
    ) -> None:
        """Switch off; also how Nova stops what it resizes or shelves.

        Then nobody takes the guest's frames.
        """
        super().power_off(instance, timeout, retry_interval)
        if self._pt.removals.has(instance.uuid):
            ports = self._pt.paired_ports.of(
                instance, instance.get_network_info()
            )
            self._pt.servers.elsewhere(instance, ports).bring(order.Place.AWAY)

    @base.operation('a pause')
    def pause(self, instance: Any) -> None:
        """Pause; a paused guest uses no device that is plugged."""
        super().pause(instance)

    @base.operation('the end of the guest')
    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        """End the guest, and take it from this host."""
        super().destroy(
            context, instance, network_info, block_device_info, destroy_disks,
            destroy_secrets,
        )  # fmt: skip
