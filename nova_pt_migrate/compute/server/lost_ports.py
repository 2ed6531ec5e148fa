# SPDX-License-Identifier: Apache-2.0
"""Ports that a server has lost while it migrated, and what is left of them.

Neutron deletes a port whenever its owner wants it. Nova's information cache
may name it for long, and Nova would activate bindings up to the first port
that is gone, plug its device again, or keep that for ever. What Neutron says
counts; where it does not answer nothing is taken from a server.
"""

from collections.abc import Iterable
from typing import Any

from nova import exception
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import accounts
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.server import port_locks
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces

LOG = logging.getLogger(__name__)


def lost(
    network_api: Any, instance: Any, vifs: Iterable[our_vifs.Vif]
) -> set[str]:
    """Return which of the VIFs' ports the server has no more; never raises.

    One question for all; one that is missing in the answer is asked for
    alone.

    :param network_api: nova.network.neutron.API
    :returns: their UUIDs; none where Neutron does not answer
    """
    wanted = {vif['id'] for vif in vifs}
    if not wanted:
        return set()
    try:
        found = network_api.list_ports(
            our_vifs.admin_context(), device_id=instance.uuid
        )
        missing = wanted - {port['id'] for port in found['ports']}
        return {
            port
            for port in sorted(missing)
            if not _has(network_api, instance, port)
        }
    except Exception as exc:
        LOG.warning(
            'Neutron does not tell which ports the server has, so that it is '
            'taken to have all: %s', exc, instance=instance,
        )  # fmt: skip
        return set()


def complete(compute: Any, instance: Any) -> bool:
    """Let a server's information cache name all ports with devices.

    Neutron is asked only if it does not: these ports are gone, or the cache
    lacks them.

    :param compute: nova.compute.manager.ComputeManager of this host
    :returns: True if Neutron was asked
    :raises Exception: from Neutron or the database
    """
    held = pci_tracker.held(compute.rt).get(instance.uuid, [])
    if not accounts.strays(instance, instance.get_network_info(), held):
        return False
    compute.network_api.get_instance_nw_info(
        our_vifs.admin_context(), instance, force_refresh=True
    )
    return True


def correct(compute: Any, instance: Any) -> None:
    """Let a server's information cache name the ports that it has.

    Nova activates and looks after what it names. Never raises: where Neutron
    or the database do not answer it stays as it is.

    :param compute: nova.compute.manager.ComputeManager of this host
    """
    try:
        if complete(compute, instance):
            return
        cached = instance.get_network_info()
        gone = lost(compute.network_api, instance, cached)
        if gone:
            instance.info_cache.network_info = our_vifs.without(
                cached, [vif for vif in cached if vif['id'] in gone]
            )
            instance.info_cache.save()
    except Exception as exc:
        LOG.warning(
            'The network information of the server may be wrong, and could '
            'not be read again: %s', exc, instance=instance,
        )  # fmt: skip


def give_up(
    compute: Any,
    context: Any,
    instance: Any,
    domain: interfaces.Domain,
    network_info: Iterable[our_vifs.Vif],
) -> bool:
    """Free what this host keeps for ports that the server has lost.

    Neutron is asked only for ports that have a device here and
    are not named. A device that the guest has is asked for, and kept until it
    has left; it is looked at again then.

    :param compute: nova.compute.manager.ComputeManager of this host
    :param network_info: all VIFs of the server
    :returns: False if something must be looked at again
    :raises errors.NotOurTurn: an operation has taken over, where the domain
        is one that is guarded by a turn; nothing else is raised
    """
    held = pci_tracker.held(compute.rt).get(instance.uuid, [])
    done = True
    for device in accounts.strays(instance, network_info, held):
        port = accounts.port_of(instance, device)
        try:
            with port_locks.lock(instance.uuid, port):
                if _has(compute.network_api, instance, port):
                    continue
                if _take_out(domain, device.address):
                    compute.rt.unclaim_pci_devices(context, device, instance)
                    LOG.info(
                        'Device %s is freed: port %s has left the server',
                        device.address, port, instance=instance,
                    )  # fmt: skip
                    continue
        except errors.NotOurTurn:
            raise
        except port_locks.Held:
            LOG.debug('Port %s is being attached or detached', port)
        except Exception:
            LOG.exception(
                'Device %s of port %s, which has left the server, is not '
                'freed; it is tried again', device.address, port,
                instance=instance,
            )  # fmt: skip
        done = False
    return done


def _take_out(domain: interfaces.Domain, address: str) -> bool:
    """Take a device out of both documents; False while the guest has it.

    :raises errors.HostError: libvirt does not answer
    """
    found = domain.observe()
    if address in found.persistent:
        domain.forget(address)
    if address not in found.live:
        return True
    domain.request_unplug(str(found.live[address].alias))
    return False


def _has(network_api: Any, instance: Any, port: str) -> bool:
    try:
        found = network_api.show_port(our_vifs.admin_context(), port)['port']
    except exception.PortNotFound:
        return False
    return bool(found['device_id'] == instance.uuid)
