# SPDX-License-Identifier: Apache-2.0
"""A guest whose admin has made a bond, seen through its agent."""

from collections.abc import Callable
from typing import Any

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.tests.unit.guest import fakes

DEVICE = 'ens5'
STANDBY = 'ens6'
_BOND = 'bond0'
_ACTIVE = f'/sys/class/net/{_BOND}/bonding/active_slave'


class Bonded(fakes.Guest):
    """Bonds the device with its standby, and lets its admin choose.

    As with Linux, another slave takes over when the active one leaves. The
    guest puts a device that comes into the bond, and leaves the active slave
    as it is.

    :param mac: of the port
    :param has_device: tells whether the device is in the guest now
    :param second: MAC address of a second port; a standby of ours else
    :param announce: called when the standby has been made active
    """

    def __init__(
        self,
        mac: str,
        has_device: Callable[[], bool],
        second: str | None = None,
        announce: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._macs = {DEVICE: mac, STANDBY: second or pairs.twin(mac)}
        self._mode = '(active-backup)'
        if second:
            self._mode += ' (fail_over_mac active)'
        self._has_device = has_device
        self._announce = announce
        self._active = DEVICE

    def active(self) -> str:
        """Return the name of the slave that carries the traffic."""
        if not self._has_device():
            self._active = STANDBY
        return self._active

    def ask(self, command: str, seconds: int) -> str:
        active = self.active()
        slaves = [STANDBY, *([DEVICE] if self._has_device() else [])]
        self.interfaces = [(name, self._macs[name]) for name in slaves]
        self.files = {
            bonds.MASTERS: f'{_BOND}\n',
            _ACTIVE: f'{active}\n',
            f'/proc/net/bonding/{_BOND}': (
                f'Bonding Mode: fault-tolerance {self._mode}\n'
                f'Currently Active Slave: {active}\n'
                + ''.join(
                    f'Slave Interface: {name}\nMII Status: up\n'
                    f'Permanent HW addr: {self._macs[name]}\n'
                    for name in slaves
                )
            ),
        }
        return super().ask(command, seconds)

    def guest_file_write(self, handle: int, buf_b64: str) -> Any:
        written = super().guest_file_write(handle, buf_b64)
        path, _ = self._open[handle]
        if path == _ACTIVE:
            slave = self.files[path]
            if slave not in dict(self.interfaces):
                raise errors.GuestError('libvirt: Invalid argument')
            self._active = slave
            if slave == STANDBY:
                self._announce()
        return written
