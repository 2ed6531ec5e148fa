# SPDX-License-Identifier: Apache-2.0
"""Where things of the lab lie and what they are called."""

import dataclasses
import hashlib
import os
import pathlib

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
FILES = CHECKOUT / 'lab' / 'files'
"""What goes into hosts and guests as it is."""


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """A compute host: a QEMU machine."""

    name: str
    number: int
    address: str


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """All of the lab lies below one folder that git ignores.

    :ivar mirror: of Debian; empty for that which this machine uses
    """

    folder: pathlib.Path
    checkout: pathlib.Path = CHECKOUT
    control: str = '10.8.0.1'
    gateway: str = '10.9.0.1'
    venv: str = '/opt/pt'
    mirror: str = ''
    hosts: tuple[Host, ...] = (
        Host('cmp1', 1, '10.8.0.11'),
        Host('cmp2', 2, '10.8.0.12'),
    )

    @property
    def netns(self) -> str:
        """The closed network; each folder has its own."""
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()
        return f'ptlab-{name[:8]}'

    @property
    def tree(self) -> pathlib.Path:
        """The Debian tree: chroot, tool box and image of the hosts."""
        return self.folder / 'tree'

    @property
    def cache(self) -> pathlib.Path:
        """What may be kept when all else is deleted."""
        return self.folder / 'cache'

    @property
    def run(self) -> pathlib.Path:
        """Process IDs and sockets."""
        return self.folder / 'run'

    @property
    def log(self) -> pathlib.Path:
        """One file for each service."""
        return self.folder / 'log'

    @property
    def etc(self) -> pathlib.Path:
        """Configuration of the control plane."""
        return self.folder / 'etc'

    @property
    def state(self) -> pathlib.Path:
        """Databases, images, disks."""
        return self.folder / 'state'

    def host(self, name: str) -> Host:
        """Return the host of that name.

        :raises LookupError: naming those that there are
        """
        for host in self.hosts:
            if host.name == name:
                return host
        known = ', '.join(host.name for host in self.hosts)
        raise LookupError(f'no host {name}; there are {known}')

    def other(self, name: str) -> Host:
        """Return the host that is not the one of that name."""
        return next(host for host in self.hosts if host.name != name)


def load() -> Settings:
    """Return the settings of this machine.

    PT_LAB_DIR puts the lab's folder elsewhere; PT_LAB_MIRROR is the URI of
    the Debian mirror that its tree is made from.
    """
    given = os.environ.get('PT_LAB_DIR')
    folder = pathlib.Path(given) if given else CHECKOUT / '.lab'
    mirror = os.environ.get('PT_LAB_MIRROR', '')
    return Settings(folder.resolve(), mirror=mirror)
