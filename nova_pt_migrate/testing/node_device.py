# SPDX-License-Identifier: Apache-2.0
"""A virNodeDevice of the double: a PCI device as its host has it."""

from typing import Any

from nova_pt_migrate.testing import client as clients
from nova_pt_migrate.testing import documents


class NodeDevice:
    """What a client of a host's libvirt sees of a PCI device.

    :param device: Nova's fake of it, which has the driver of the host
    """

    def __init__(self, connection: clients.Client, device: Any) -> None:
        self._connection = connection
        self._device = device

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802
        document = documents.parse(self._device.XMLDesc(flags))
        has = document.find('./driver')
        name = document.find('./driver/name')
        assert has is not None and name is not None
        now = self._connection.hypervisor.driver_of(
            self._device.address, str(name.text)
        )
        if now is None:
            document.remove(has)
        name.text = now
        return documents.text(document)

    def detachFlags(  # noqa: N802
        self, driver: str | None, flags: int = 0
    ) -> int:
        address = self._device.address
        with self._connection.calling('detachFlags', None, (), {}, (address,)):
            self._connection.hypervisor.detach(address)
        return 0

    def reAttach(self) -> int:  # noqa: N802
        address = self._device.address
        with self._connection.calling('reAttach', None, (), {}, (address,)):
            self._connection.hypervisor.reattach(address)
        return 0
