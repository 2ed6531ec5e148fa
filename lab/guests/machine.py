# SPDX-License-Identifier: Apache-2.0
"""A guest as a plain QEMU machine, one at a time."""

from collections.abc import Iterator
import contextlib
import dataclasses
import pathlib
import time

from lab import settings
from lab import shell
from lab.build import initramfs
from lab.guests import channel
from lab.guests import qmp
from lab.guests import wires
from lab.hosts import accel
from nova_pt_migrate.core import errors
from nova_pt_migrate.guest import agent as agents

NAME = 'guest'
MODULES = tuple(
    initramfs.Module(name) for name in ('virtio_blk', 'crc32c_generic', 'ext4')
)
MEMORY = 1024  # MiB
NICE = '15'
AGENT_SECONDS = 240.0
"""For one look; programs in an emulated guest are some ten times slower."""
PLUG_SECONDS = 120.0


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """A guest that runs.

    :ivar monitor: of its QEMU
    :ivar channel: to its agent
    :ivar joined: as that of :func:`wires.device`
    """

    monitor: qmp.Monitor
    channel: channel.SocketChannel
    joined: bool

    def agent(self, seconds: float = AGENT_SECONDS) -> agents.Agent:
        """Return its agent for one look."""
        return agents.Agent(self.channel, time.monotonic, seconds, time.sleep)

    def unplug(self) -> None:
        """Unplug the primary, and wait until the guest has released it.

        :raises shell.Failed: it has not in time
        """
        self.monitor.run('device_del', {'id': wires.PRIMARY_ID})
        self.monitor.wait(
            'release of the primary',
            lambda event: (
                event['event'] == 'DEVICE_DELETED'
                and event['data'].get('device') == wires.PRIMARY_ID
            ),
            PLUG_SECONDS,
        )

    def plug(self) -> None:
        """Plug the primary again."""
        self.monitor.run('device_add', wires.device(self.joined))

    def connect(self, up: bool) -> None:
        """Let the guest see a link on the standby, or none."""
        words = {'name': wires.STANDBY_ID, 'up': up}
        self.monitor.run('set_link', words)


def arguments(
    setup: settings.Settings, disk: str, drive: str, joined: bool
) -> list[str]:
    """Return QEMU's arguments for a guest.

    :param disk: its own, over the one in the cache
    :param drive: its config drive
    :param joined: as that of :func:`wires.device`
    """
    kernel, initrd = initramfs.boot_files(setup, 'guests', MODULES)
    return [
        '-name', NAME, '-machine', 'q35', *accel.arguments(setup),
        '-smp', '2', '-m', str(MEMORY), '-nodefaults', '-display', 'none',
        '-kernel', str(kernel), '-initrd', str(initrd),
        '-append', 'rw console=ttyS0 quiet mitigations=off audit=0 '
                   'tsc=reliable systemd.show_status=0',
        '-serial', f'file:{setup.log}/guest-console.log',
        '-qmp', f'unix:{_monitor(setup)},server=on,wait=off',
        '-drive', f'file={disk},if=none,id=disk,cache=unsafe',
        '-device', 'virtio-blk-pci,drive=disk',
        '-drive', f'file={drive},if=none,id=drive,format=raw,readonly=on',
        '-device', 'virtio-blk-pci,drive=drive',
        '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci',
        '-chardev', f'socket,id=agent,path={_agent(setup)},server=on,wait=off',
        '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0',
        *wires.arguments(joined),
    ]  # fmt: skip


@contextlib.contextmanager
def running(
    setup: settings.Settings,
    image: pathlib.Path,
    drive: pathlib.Path,
    joined: bool,
) -> Iterator[Machine]:
    """Run a guest over an image until the context ends.

    One that a run before has left behind is ended first.
    """
    shell.stop(setup, NAME)
    disk = f'{setup.run}/guest.qcow2'
    for path in (_monitor(setup), _agent(setup)):
        path.unlink(missing_ok=True)
    argv = ['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', str(image),
            '-F', 'raw', disk]  # fmt: skip
    shell.run(shell.chroot(setup, argv), timeout=60)
    argv = ['qemu-system-x86_64', *arguments(setup, disk, str(drive), joined)]
    shell.spawn(setup, NAME, ['nice', '-n', NICE, *shell.chroot(setup, argv)])
    try:
        shell.wait_for('monitor of the guest', _monitor(setup).exists, 60)
        machine = Machine(
            qmp.Monitor(_monitor(setup), 60),
            channel.SocketChannel(_agent(setup)),
            joined,
        )
        try:
            machine.connect(False)
            yield machine
        finally:
            machine.channel.close()
            machine.monitor.close()
    finally:
        shell.stop(setup, NAME)
        pathlib.Path(disk).unlink(missing_ok=True)


def booted(machine: Machine, before: str, seconds: float) -> str:
    """Wait until a guest has booted and cloud-init has ended.

    :param before: what identified its boot before; empty at the first
    :returns: what identifies this boot
    :raises shell.Failed: it has not in time
    """
    found = ''

    def is_it() -> bool:
        nonlocal found
        agent = machine.agent(20)
        try:
            found = agent.read('/proc/sys/kernel/random/boot_id').strip()
            if found != before:
                agent.read('/run/cloud-init/result.json')
        except errors.GuestError:
            return False
        return found != before

    shell.wait_for('boot of the guest', is_it, seconds, every=2)
    return found


def _monitor(setup: settings.Settings) -> pathlib.Path:
    return setup.run / 'guest-monitor'


def _agent(setup: settings.Settings) -> pathlib.Path:
    return setup.run / 'guest-agent'
