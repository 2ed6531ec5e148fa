# SPDX-License-Identifier: Apache-2.0
"""Standbys on this host whose server or port is not here any more.

A netdev is only deleted if what is written down with it says whose it is, or,
as an earlier driver wrote the MAC address alone, if it has name and address
of a port of the server. Others may have netdevs whose names begin as ours.
"""

from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.host import links as host_links
from nova_pt_migrate.host import xml as domain_xml

LOG = logging.getLogger(__name__)


class LeftStandbys:
    """Looks at netdevs, and deletes what nobody needs.

    :param links: of this host
    :param host: nova.virt.libvirt.host.Host
    """

    def __init__(self, links: host_links.HostLinks, host: Any) -> None:
        self._links = links
        self._host = host

    def servers(self) -> dict[str, set[str]]:
        """Return the netdevs of each server, as it is written with them.

        Seen in sysfs; libvirt is not asked.
        """
        found: dict[str, set[str]] = {}
        for name, words in self._written().items():
            if words.server:
                found.setdefault(words.server, set()).add(name)
        return found

    def forget(self, server: str, instance: Any, here: bool) -> bool:
        """Delete what the server does not need here; May be repeated.

        One that a guest has stays: it may be all that the guest has.

        :param instance: the server as Nova has it; None if it is deleted
        :param here: it is on this host, and has the standbys of its ports
        :returns: False if one is left that cannot be deleted now
        :raises libvirt.libvirtError: libvirt does not tell what guests have;
            nothing was deleted
        """
        macs = {
            pairs.link_name(vif['id']): vif['address']
            for vif in (instance.get_network_info() if instance else ())
        }
        doomed = {
            name
            for name, words in self._written().items()
            if words.server == server
            or (words.server is None and macs.get(name) == words.mac)
        }
        if here:
            doomed -= set(macs)
        if not doomed:
            return True
        used = self._used()
        for name in sorted(doomed & used):
            LOG.warning(
                'Standby %s belongs to no server of this host, and a guest '
                'here has it: it stays', name,
            )  # fmt: skip
        left = [n for n in sorted(doomed - used) if not self._delete(n)]
        return not left

    def _written(self) -> dict[str, pairs.Words]:
        found = {}
        for name in self._links.names(pairs.PREFIX):
            words = pairs.read_words(self._links.written(name))
            if words is not None and words.fits(name):
                found[name] = words
        return found

    def _delete(self, name: str) -> bool:
        try:
            self._links.forget(name)
        except errors.HostError as exc:
            LOG.error(
                'Standby %s belongs to no server of this host, and '
                'cannot be deleted: %s. It is tried again from time to time.',
                name, exc,
            )  # fmt: skip
            return False
        return True

    def _used(self) -> set[str]:
        """Return the names of the netdevs that active guests here have."""
        return {
            name
            for guest in self._host.list_guests()
            for name in domain_xml.targets(guest.get_xml_desc())
        }
