# SPDX-License-Identifier: Apache-2.0
"""One libvirt domain, as the core wants it: look, unplug, plug.

What libvirt really does, seen with libvirt 11.3 and QEMU 10.0: an unplug
request by alias returns at once and changes the live domain only; the device
is gone when libvirt sends ``device-removed``; an attach to the live domain
takes the guest's PCI address from the element.
"""

from collections.abc import Iterator
import contextlib
from typing import Any

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model
from nova_pt_migrate.host import blocking
from nova_pt_migrate.host import events
from nova_pt_migrate.host import plug_errors
from nova_pt_migrate.host import xml as domain_xml

SENT = 5
"""Where libvirt has ``tx_packets`` among what it tells of a NIC."""


class LibvirtDomain:
    """Provides :class:`core.interfaces.Domain`.

    :param domain: a ``libvirt.virDomain``
    :param libvirt: the libvirt module; passed in, since a host without it
        must still be able to import this module and say so
    :param device_events: where libvirt's device events arrive
    """

    def __init__(
        self,
        domain: Any,
        libvirt: Any,
        device_events: events.DeviceEvents,
    ) -> None:
        self._domain = domain
        self._libvirt = libvirt
        self._events = device_events

    def observe(self) -> model.Found:
        """See :meth:`core.interfaces.Domain.observe`."""
        with self._answering():
            active = bool(self._domain.isActive())
            live = self._domain.XMLDesc(0) if active else None
            inactive = self._domain.XMLDesc(
                self._libvirt.VIR_DOMAIN_XML_INACTIVE
            )
        return model.Found(
            active=active,
            memory_gib=domain_xml.memory_gib(inactive),
            live=domain_xml.devices(live) if live else {},
            persistent=domain_xml.devices(inactive),
            targets=domain_xml.targets(live) if live else {},
            unlinked=domain_xml.unlinked(live) if live else frozenset(),
        )

    def set_link(self, target: str, up: bool) -> None:
        """See :meth:`core.interfaces.Domain.set_link`.

        libvirt compares the whole element with the one that it has, and takes
        no other change (src/qemu/qemu_hotplug.c, qemuDomainChangeNet).
        """
        with self._answering():
            element = domain_xml.with_link(self._domain.XMLDesc(0), target, up)
            if element is None:
                raise errors.HostError(f'the guest has no NIC {target}')
            self._domain.updateDeviceFlags(
                element, self._libvirt.VIR_DOMAIN_AFFECT_LIVE
            )

    def sent(self, target: str) -> int:
        """See :meth:`core.interfaces.Domain.sent`.

        libvirt counts in the guest's direction, whichever its netdev has
        (src/util/virnetdevtap.c, virNetDevTapInterfaceStats).
        """
        with self._answering():
            sent = int(self._domain.interfaceStats(target)[SENT])
        if sent < 0:
            raise errors.HostError(f'libvirt does not count for {target}')
        return sent

    def watch(self) -> contextlib.AbstractContextManager[interfaces.Watch]:
        """See :meth:`core.interfaces.Domain.watch`."""
        return self._events.watch(self._domain.UUIDString())

    def request_unplug(self, alias: str) -> None:
        """See :meth:`core.interfaces.Domain.request_unplug`."""
        with self._answering():
            self._domain.detachDeviceAlias(
                alias, self._libvirt.VIR_DOMAIN_AFFECT_LIVE
            )

    def plug(self, xml: str, persist: bool, seconds: float) -> None:
        """See :meth:`core.interfaces.Domain.plug`.

        libvirt's call cannot be withdrawn, so it runs in a thread of its own
        which is left behind when the time is over.
        """
        flags = self._libvirt.VIR_DOMAIN_AFFECT_LIVE
        if persist:
            flags |= self._libvirt.VIR_DOMAIN_AFFECT_CONFIG
        call = blocking.Call(
            lambda: self._domain.attachDeviceFlags(
                domain_xml.for_plug(xml), flags
            ),
            'plug',
        )
        if not call.finished(seconds):
            raise errors.PlugTimeout(
                f'libvirt has not answered the attach for {seconds:g} s; the '
                f'device may still come'
            )
        if isinstance(call.error, self._libvirt.libvirtError):
            text = str(call.error)
            failed = (
                errors.PlugFailed
                if plug_errors.any_device_fails(text)
                else errors.UnfitDevice
            )
            raise failed(f'libvirt: {text}') from call.error
        if call.error is not None:
            raise call.error

    def keep(self, xml: str) -> None:
        """See :meth:`core.interfaces.Domain.keep`."""
        with self._answering():
            self._domain.attachDeviceFlags(
                domain_xml.for_plug(xml),
                self._libvirt.VIR_DOMAIN_AFFECT_CONFIG,
            )

    def add(self, xml: str) -> None:
        """Attach a device to the persistent XML, and live if there is one.

        :raises errors.HostError: libvirt's answer was an error; the device is
            in neither XML
        """
        with self._answering():
            self._domain.attachDeviceFlags(xml, self._everywhere())

    def drop(self, alias: str) -> None:
        """Detach a device of ours from the persistent XML and the live one.

        A guest may be slow to release it, which is not waited for.

        :raises errors.HostError: libvirt's answer was an error
        """
        with self._answering():
            self._domain.detachDeviceAlias(alias, self._everywhere())

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Surround calls to libvirt.

        :raises errors.HostError: libvirt's answer was an error
        """
        try:
            yield
        except self._libvirt.libvirtError as exc:
            raise errors.HostError(f'libvirt: {exc}') from exc

    def _everywhere(self) -> int:
        flags = int(self._libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        if self._domain.isActive():
            flags |= int(self._libvirt.VIR_DOMAIN_AFFECT_LIVE)
        return flags

    def forget(self, address: str) -> None:
        """See :meth:`core.interfaces.Domain.forget`."""
        with self._answering():
            self._domain.connect().defineXML(
                domain_xml.without(self._whole(), address)
            )

    def _whole(self) -> str:
        """Return the persistent XML, secrets included."""
        return str(
            self._domain.XMLDesc(
                self._libvirt.VIR_DOMAIN_XML_INACTIVE
                | self._libvirt.VIR_DOMAIN_XML_SECURE
            )
        )

    def exchange(self, address: str, xml: str) -> str | None:
        """See :meth:`core.interfaces.Domain.exchange`.

        The document is read with its secrets, which libvirt would otherwise
        leave out and then forget.
        """
        with self._answering():
            whole = self._whole()
            present = domain_xml.devices(whole).get(address)
            if present is None:
                return None
            element = domain_xml.with_guest_address(xml, present.xml)
            self._domain.connect().defineXML(
                domain_xml.with_devices(
                    domain_xml.without(whole, address), [element]
                )
            )
        return element
