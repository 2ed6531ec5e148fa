# SPDX-License-Identifier: Apache-2.0
"""The parts of Nova that are touched though they are nobody's promise.

Lines are those of nova 34.0.0. If a signature differs the service must not
start: a hook that Nova no longer calls, or calls with other values, would let
servers lose their devices without a word.
"""

import importlib.metadata
import inspect

from nova import monkey_patch

from nova_pt_migrate.compute.loading import nova_attributes
from nova_pt_migrate.core import errors

TESTED = ('34',)
"""Major releases of nova that the test suites of this package ran with."""

PARTS = {
    # nova/virt/libvirt/driver.py:11426, called in _live_migration_operation
    'nova.virt.libvirt.driver:LibvirtDriver._detach_direct_passthrough_vifs': (
        'self', 'context', 'migrate_data', 'instance',
    ),
    # driver.py:12014, called after arrival and in the rollback at the source
    'nova.virt.libvirt.driver:LibvirtDriver._reattach_instance_vifs': (
        'self', 'context', 'instance', 'network_info',
    ),
    # driver.py:11447, runs in a thread of its own beside the monitor
    'nova.virt.libvirt.driver:LibvirtDriver._live_migration_operation': (
        'self', 'context', 'instance', 'dest', 'block_migration',
        'migrate_data', 'guest', 'device_names',
    ),
    # driver.py:11858, runs the operation and its monitor to the end
    'nova.virt.libvirt.driver:LibvirtDriver._live_migration': (
        'self', 'context', 'instance', 'dest', 'post_method',
        'recover_method', 'block_migration', 'migrate_data',
    ),
    # driver.py:11711, counts the time for which a migration may copy
    'nova.virt.libvirt.driver:LibvirtDriver._live_migration_monitor': (
        'self', 'context', 'instance', 'guest', 'dest', 'post_method',
        'recover_method', 'block_migration', 'migrate_data', 'future',
        'disk_paths',
    ),
    # driver.py:2629, where libvirt's device events arrive
    'nova.virt.libvirt.driver:LibvirtDriver.emit_event': ('self', 'event'),
    # driver.py:375, where Nova waits for them
    'nova.virt.libvirt.driver:AsyncDeviceEventsHandler.notify_waiters': (
        'self', 'event',
    ),
    # guest.py:107; its _domain is the virDomain that migrate() (600) calls
    'nova.virt.libvirt.guest:Guest.__init__': ('self', 'domain'),
    'nova.virt.libvirt.guest:Guest.migrate': (
        'self', 'destination', 'migrate_uri', 'migrate_disks',
        'destination_xml', 'flags', 'bandwidth', 'parallel',
    ),
    'nova.virt.libvirt.vif:LibvirtGenericVIFDriver.get_config': (
        'self', 'instance', 'vif', 'image_meta', 'flavor', 'virt_type',
    ),
    'nova.virt.libvirt.vif:LibvirtGenericVIFDriver.plug': (
        'self', 'instance', 'vif',
    ),
    'nova.virt.libvirt.vif:LibvirtGenericVIFDriver.unplug': (
        'self', 'instance', 'vif',
    ),
    'nova.virt.libvirt.host:Host.get_guest': ('self', 'instance'),
    'nova.virt.libvirt.host:Host.list_guests': ('self', 'only_running'),
    # driver.py:4241, how a server is rebooted hard, started and resumed
    'nova.virt.libvirt.driver:LibvirtDriver._hard_reboot': (
        'self', 'context', 'instance', 'network_info', 'share_info',
        'block_device_info', 'accel_info',
    ),
    'nova.virt.libvirt.host:Host.device_lookup_by_name': ('self', 'name'),
    # driver.py:1636, where every server loses its interfaces on a host
    'nova.virt.libvirt.driver:LibvirtDriver._unplug_vifs': (
        'self', 'instance', 'network_info', 'ignore_errors',
    ),
    # driver.py:8338, the document that a domain is made of
    'nova.virt.libvirt.driver:LibvirtDriver._get_guest_xml': (
        'self', 'context', 'instance', 'network_info', 'disk_info',
        'image_meta', 'rescue', 'block_device_info', 'mdevs', 'accel_info',
        'share_info', 'old_guest',
    ),
    # driver.py:5738 and 5762, before a guest is saved and after it
    'nova.virt.libvirt.driver:'
    'LibvirtDriver._attach_direct_passthrough_ports': (
        'self', 'context', 'instance', 'guest', 'network_info',
    ),
    'nova.virt.libvirt.driver:'
    'LibvirtDriver._detach_direct_passthrough_ports': (
        'self', 'context', 'instance', 'guest',
    ),
    # nova/compute/manager.py:1013, how Nova looks at a server as it starts
    'nova.compute.manager:ComputeManager._init_instance': (
        'self', 'context', 'instance',
    ),
    # manager.py:9771 and 10113, the two ends of a live migration
    'nova.compute.manager:ComputeManager._post_live_migration': (
        'self', 'ctxt', 'instance', 'dest', 'block_migration',
        'migrate_data', 'source_bdms',
    ),
    'nova.compute.manager:ComputeManager._rollback_live_migration': (
        'self', 'context', 'instance', 'dest', 'migrate_data',
        'migration_status', 'source_bdms', 'pre_live_migration',
    ),
    # manager.py:5120, a part of the first of them
    'nova.compute.manager:ComputeManager._delete_allocation_after_move': (
        'self', 'context', 'instance', 'migration',
    ),
    # nova/manager.py:191 and 224, what is waited for when nova-compute stops
    'nova.manager:Manager._record_task_start': (
        'self', 'task_name', 'instance_uuid', 'request_id',
    ),
    'nova.manager:Manager._record_task_end': (
        'self', 'key', 'future', 'failed',
    ),
    # compute/manager.py:9092, ends what is counted at the destination
    'nova.compute.manager:'
    'ComputeManager._end_pending_dest_live_migration_task': (
        'self', 'instance_uuid',
    ),
    # pci/manager.py:372, frees a device that is claimed or allocated
    'nova.pci.manager:PciDevTracker.free_device': ('self', 'dev', 'instance'),
    # compute/resource_tracker.py:2092, another device after the arrival
    'nova.compute.resource_tracker:ResourceTracker.claim_pci_devices': (
        'self', 'context', 'pci_requests', 'instance_numa_topology',
    ),
    'nova.compute.resource_tracker:ResourceTracker.unclaim_pci_devices': (
        'self', 'context', 'pci_device', 'instance',
    ),
    # network/neutron.py:1653, what the profile of a port says of its device
    'nova.network.neutron:API._get_pci_device_profile': ('self', 'pci_dev'),
    # pci/stats.py:940, tried on a copy before Nova claims
    'nova.pci.stats:PciDeviceStats.apply_requests': (
        'self', 'requests', 'provider_mapping', 'numa_cells',
    ),
    # pci/stats.py:242 and 334, a device that is given back to its server
    'nova.pci.stats:PciDeviceStats.remove_device': ('self', 'dev'),
    'nova.pci.stats:PciDeviceStats._handle_device_dependents': (
        'self', 'pci_dev',
    ),
    # pci/request.py:266, how Nova finds what it claims for a port
    'nova.pci.request:get_instance_pci_request_from_vif': (
        'context', 'instance', 'vif',
    ),
    'nova.pci.manager:PciDevTracker.save': ('self', 'context'),
    # driver.py:9101, the devices that [pci] device_spec is compared with
    'nova.virt.libvirt.driver:LibvirtDriver._get_pci_passthrough_devices': (
        'self',
    ),
    # nova/service_auth.py:39, whom nova-compute asks Cinder as by itself
    'nova.service_auth:get_service_auth_plugin': ('conf_group',),
    # nova/monkey_patch.py:72, whether this process runs on eventlet
    'nova.monkey_patch:is_patched': (),
}  # fmt: skip


def refuse_eventlet(driver: str) -> None:
    """Stop where all threads are one, so that waiting stops the others.

    :param driver: name of the class
    :raises errors.CannotStart: Nova has patched this process
    """
    if monkey_patch.is_patched():
        raise errors.CannotStart(
            f'this process is patched by eventlet, and pt_migrate.{driver} '
            f'needs native threads; set [DEFAULT] concurrency_backend = '
            f'threading, and take OS_NOVA_DISABLE_EVENTLET_PATCHING out of '
            f'its environment.'
        )


def check() -> list[str]:
    """Compare Nova's release and private parts with what is known.

    :returns: warnings, one sentence each
    :raises errors.CannotStart: if a part is missing or changed, naming it
    """
    release = importlib.metadata.version('nova')
    for path, known in PARTS.items():
        found = _parameters(path)
        if found != known:
            raise errors.CannotStart(
                f'nova {release}: {path.replace(":", ".")} takes '
                f'{_words(found)} where {_words(known)} is known; install a '
                f'nova-pt-migrate made for this release of Nova.'
            )
    for lack in nova_attributes.missing():
        raise errors.CannotStart(
            f'nova {release}: {lack}; install a nova-pt-migrate made for this '
            f'release of Nova.'
        )
    if release.split('.')[0] in TESTED:
        return []
    return [
        f'nova-pt-migrate has not been tested with nova {release}; tested '
        f'are the releases {", ".join(TESTED)}. Try it with a server that '
        f'may be lost, or install a tested release.'
    ]


def _parameters(path: str) -> tuple[str, ...] | None:
    part = nova_attributes.find(path)
    return None if part is None else tuple(inspect.signature(part).parameters)


def _words(parameters: tuple[str, ...] | None) -> str:
    return 'nothing' if parameters is None else f'({", ".join(parameters)})'
