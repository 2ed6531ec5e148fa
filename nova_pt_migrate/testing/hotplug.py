# SPDX-License-Identifier: Apache-2.0
"""Attach and detach of devices as virDomain offers them."""

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import settings as double_settings

LIVE = fakelibvirt.VIR_DOMAIN_AFFECT_LIVE
CONFIG = fakelibvirt.VIR_DOMAIN_AFFECT_CONFIG


class Hotplug:
    """The hot-plug calls of one domain on one host."""

    def __init__(
        self,
        machine: machines.Machine,
        hypervisor: hypervisors.Hypervisor,
        settings: double_settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._machine = machine
        self._hypervisor = hypervisor
        self._settings = settings
        self._clock = clock

    def attach(self, xml: str, flags: int) -> None:
        """The persistent document changes only if the live one did."""
        live, config = self._affected(flags)
        element = documents.parse(xml)
        with self._machine.modifying():
            persistent = self._with(element) if config else None
            if live:
                self._plug(element)
            if persistent is not None:
                self._machine.persistent = persistent

    def update(self, xml: str, flags: int) -> None:
        """Change the link of a NIC; nothing else may differ.

        QEMU is told only if the document says otherwise
        (src/qemu/qemu_hotplug.c, qemuDomainChangeNet).
        """
        live, config = self._affected(flags)
        wanted = documents.parse(xml)
        with self._machine.modifying():
            persistent = self._persistent_copy() if config else None
            if persistent is not None:
                _set_link(persistent, wanted)
            if live:
                with self._machine.lock:
                    assert self._machine.live is not None
                    target, up = _set_link(self._machine.live, wanted)
                    if up is not None:
                        self._machine.carriers.set(target, up)
            if persistent is not None:
                self._machine.persistent = persistent

    def detach(self, xml: str, flags: int) -> None:
        """Block until the device has left, or for ``detach_wait`` seconds.

        As libvirt does, it reports success in both cases.
        """
        live, config = self._affected(flags)
        element = documents.parse(xml)
        with self._machine.modifying():
            persistent = self._without(element) if config else None
            if live:
                alias = self._alias_of(element)
                self._machine.request_unplug(alias)
                self._clock.wait(
                    lambda: self._machine.gone(alias),
                    self._settings.detach_wait,
                )
            if persistent is not None:
                self._machine.persistent = persistent

    def detach_alias(self, alias: str, flags: int) -> None:
        """Return at once; the persistent document has no aliases of ours."""
        live, config = self._affected(flags)
        with self._machine.modifying():
            if config:
                self._forget(alias)
            if live:
                self._machine.request_unplug(alias)

    def _affected(self, flags: int) -> tuple[bool, bool]:
        if not flags & (LIVE | CONFIG):
            flags = LIVE if self._machine.active else CONFIG
        if flags & LIVE and not self._machine.active:
            raise errors.invalid('domain is not running')
        if flags & CONFIG and self._machine.persistent is None:
            raise errors.invalid(
                'transient domains do not have any persistent config'
            )
        return bool(flags & LIVE), bool(flags & CONFIG)

    def _plug(self, element: documents.Element) -> None:
        machine = self._machine
        address = documents.host_address(element)
        self._hypervisor.check_device(element)
        with machine.lock:
            user = self._hypervisor.user_of(address)
            if user:
                raise errors.in_use(str(address), user)
            assert machine.live is not None
            new = documents.insert(machine.live, element, self._settings.ports)
            try:
                documents.assign_alias(machine.live, new)
            except fakelibvirt.libvirtError:
                documents.remove(machine.live, new)
                raise
        self._clock.wait(lambda: False, self._settings.plug_seconds)

    def _with(self, element: documents.Element) -> documents.Element:
        persistent = self._persistent_copy()
        if (
            element.tag == 'hostdev'
            and documents.find_like(persistent, element) is not None
        ):
            raise errors.invalid(
                'device is already in the domain configuration'
            )
        documents.insert(persistent, element, None)
        return documents.without_aliases(persistent)

    def _without(self, element: documents.Element) -> documents.Element:
        persistent = self._persistent_copy()
        found = documents.find_like(persistent, element)
        if found is None:
            raise _not_found(element)
        documents.remove(persistent, found)
        return persistent

    def _persistent_copy(self) -> documents.Element:
        assert self._machine.persistent is not None
        return documents.parse(documents.text(self._machine.persistent))

    def _alias_of(self, element: documents.Element) -> str:
        assert self._machine.live is not None
        found = documents.find_like(self._machine.live, element)
        if found is None:
            raise _not_found(element)
        return str(documents.alias(found))

    def _forget(self, alias: str) -> None:
        persistent = self._persistent_copy()
        found = documents.find_alias(persistent, alias)
        if found is None:
            raise errors.internal(f'no device found with alias {alias}')
        documents.remove(persistent, found)
        self._machine.persistent = persistent


def _set_link(
    document: documents.Element, wanted: documents.Element
) -> tuple[str, bool | None]:
    """Give the NIC that an element means the element's link.

    :returns: its netdev, and how its link is now; None if that is no other
    """
    found = documents.find_nic(document, wanted)
    if found is None:
        raise _not_found(wanted)
    for tag in _others(found, wanted):
        raise errors.not_modified(tag)
    before, after = (nic.find('./link') for nic in (found, wanted))
    for present in found.findall('./link'):
        found.remove(present)
    if after is not None:
        found.append(after)
    state = None if after is None else after.get('state')
    name = documents.targets_of(found)[0]
    if state == (None if before is None else before.get('state')):
        return name, None
    return name, state != 'down'


def _others(one: documents.Element, other: documents.Element) -> list[str]:
    """Return the names of what else differs in two NICs' elements."""
    said = [
        {documents.text(e).strip(): e.tag for e in nic if e.tag != 'link'}
        for nic in (one, other)
    ]
    differing = said[0].keys() ^ said[1].keys()
    return sorted((said[0] | said[1])[words] for words in differing)


def _not_found(element: documents.Element) -> Exception:
    if element.tag == 'interface':
        mac = documents.identity(element)
        return errors.missing(
            f"no device found at address '(<null>)' matching MAC address "
            f"{mac} and alias '{documents.alias(element) or '(<null>)'}'"
        )
    return errors.missing(
        f'host pci device {documents.identity(element)} not found'
    )
