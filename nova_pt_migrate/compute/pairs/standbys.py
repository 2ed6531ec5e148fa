# SPDX-License-Identifier: Apache-2.0
"""The standbys that this driver makes: on the host, and in the domain.

On the host they are netdevs that our os-vif plug-in makes and deletes with
the server's own; in the domain they are interfaces after all others, so that
Nova, which knows its interfaces by MAC address, finds its own first.
"""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from lxml import etree
import os_vif
from os_vif import exception as osv_exception
from os_vif.objects import instance_info as osv_instance
from os_vif.objects import network as osv_network
from os_vif.objects import vif as osv_vif
from oslo_log import log as logging

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import pair_xml

LOG = logging.getLogger(__name__)
PLUGIN = 'pt_migrate'
LEAST = 1500
"""Bytes: the MTU that a net_failover link is made with.

Drivers set none (drivers/net/net_failover.c, net_failover_create), so that it
is ether_setup's.
"""
Ports = Iterable[paired_ports.PairedPort]


class Standbys:
    """Makes and deletes them.

    :param is_guarded: tells of a port whether its addresses are checked
    :param note: takes the UUID of a server of which a standby may be left
    """

    def __init__(
        self,
        is_guarded: Callable[[str], bool],
        note: Callable[[str], None],
    ) -> None:
        self._is_guarded = is_guarded
        self._note = note

    def plug(self, instance: Any, ports: Ports) -> None:
        """Make the netdevs of a server's standbys; those there are kept.

        :param ports: those without a standby of ours are passed over

        :raises errors.HostError: one is not there
        """
        for paired in _ours(ports):
            guarded = self._is_guarded(paired.pair.port)
            try:
                os_vif.plug(_vif(paired, guarded), _instance(instance))
            except osv_exception.PlugException as exc:
                raise errors.HostError(str(exc)) from exc

    def unplug(self, instance: Any, ports: Ports) -> None:
        """Delete them. Never raises; what stays is logged with its name."""
        for paired in _ours(ports):
            try:
                os_vif.unplug(_vif(paired, True), _instance(instance))
            except osv_exception.UnplugException:
                assert paired.standby is not None
                LOG.exception(
                    'Netdev %s, the standby of port %s, stays on this host: '
                    'delete it', paired.standby.link, paired.pair.port,
                    instance=instance,
                )  # fmt: skip
                self._note(instance.uuid)


def add_to(domain_xml: str, ports: Ports) -> str:
    """Return a domain XML of Nova's with a server's standbys of ours."""
    return pair_xml.with_standbys(
        domain_xml, [element(paired) for paired in _ours(ports)]
    )


def _ours(ports: Ports) -> list[paired_ports.PairedPort]:
    return [paired for paired in ports if paired.standby]


def element(paired: paired_ports.PairedPort) -> str:
    """Return the libvirt element of a standby of ours.

    ``managed='no'``: the netdev is there when libvirt wants it, and libvirt
    neither switches it on nor deletes it (formatdomain, "Generic ethernet
    connection"). It is off then, and the guest sees no link. net_failover
    gives its slaves its own MTU before anybody sets that, and has none where
    the standby can have no such.
    """
    assert paired.standby is not None
    interface = etree.Element('interface', type='ethernet')
    etree.SubElement(
        interface, 'mac', address=paired.pair.standby_mac or paired.pair.mac
    )
    etree.SubElement(
        interface, 'target', dev=paired.standby.link, managed='no'
    )
    etree.SubElement(interface, 'model', type='virtio')
    etree.SubElement(interface, 'link', state='down')
    if paired.mtu and not (paired.pairing.teaming and paired.mtu < LEAST):
        etree.SubElement(interface, 'mtu', size=str(paired.mtu))
    if paired.pairing.teaming:
        etree.SubElement(interface, 'teaming', type='persistent')
    etree.SubElement(interface, 'alias', name=alias(paired))
    return str(etree.tostring(interface, encoding='unicode'))


def alias(paired: paired_ports.PairedPort) -> str:
    """Return libvirt's name of a standby of ours."""
    return pairs.alias(paired.pair.port)


def _vif(paired: paired_ports.PairedPort, guarded: bool) -> Any:
    """Return what os-vif gives to our plug-in."""
    assert paired.standby is not None and paired.uplink is not None
    network = osv_network.Network(
        id=paired.vif['network']['id'],
        vlan=paired.standby.vlan,
        mtu=paired.mtu,
        bridge_interface=paired.uplink.link,
    )
    known = {
        'id': paired.pair.port,
        'address': paired.pair.mac,
        'plugin': PLUGIN,
        'network': network,
        'vif_name': paired.standby.link,
        'has_traffic_filtering': not guarded,
    }
    if paired.uplink.kind is uplinks.Kind.BRIDGE:
        return osv_vif.VIFBridge(bridge_name=paired.uplink.link, **known)
    if paired.uplink.kind is uplinks.Kind.OVS:
        return osv_vif.VIFOpenVSwitch(bridge_name=paired.uplink.link, **known)
    return osv_vif.VIFGeneric(**known)


def _instance(instance: Any) -> Any:
    return osv_instance.InstanceInfo(
        uuid=instance.uuid,
        name=instance.name,
        project_id=instance.project_id,
    )
