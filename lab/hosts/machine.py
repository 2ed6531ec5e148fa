# SPDX-License-Identifier: Apache-2.0
"""The compute hosts as QEMU machines: start them and run commands in them.

Each start is from a fresh disk over the shared image; what a host must keep
comes again as configuration.
"""

import base64
import functools
import pathlib

from lab import settings
from lab import shell
from lab import stages
from lab.build import host_image
from lab.hosts import accel
from lab.network import namespace

MEMORY = 4096  # MiB; taken only as far as it is used
BOOT_SECONDS = 600.0
HUNG = 'rcu_preempt kthread starved'
"""What an emulated kernel says that has lost its timer, and never goes on."""
PANIC = 'Kernel panic'
READY = ' && '.join(
    f'systemctl -q is-active {name}' for name in ('pt-devices', 'libvirtd')
)
_KERNEL = (
    'root=/dev/vda rw console=ttyS0 quiet mitigations=off audit=0 '
    'tsc=reliable no_timer_check net.ifnames=0 intel_iommu=on iommu=pt '
    'systemd.show_status=0'
)


def arguments(setup: settings.Settings, host: settings.Host) -> list[str]:
    """Return the arguments with which QEMU makes a host.

    Three NICs: virtio for management, behind a root port the igb that has
    virtual functions, each in an IOMMU group of its own, and another virtio
    on the igb's network.
    """
    kernel, initrd = host_image.boot_files(setup)
    return [
        '-name', host.name, '-uuid', uuid(host),
        '-machine', 'q35,kernel-irqchip=split', *accel.arguments(setup),
        '-m', str(MEMORY),
        '-device', 'intel-iommu,intremap=on',
        '-nodefaults', '-display', 'none', '-no-reboot',
        '-d', 'cpu_reset', '-D', str(_resets(setup, host)),
        '-kernel', str(kernel), '-initrd', str(initrd),
        '-append', f'{_KERNEL} {_identity(setup, host)}',
        '-serial', f'file:{_console(setup, host)}',
        '-drive', f'file={_disk(setup, host)},if=none,id=disk,cache=unsafe',
        '-device', 'virtio-blk-pci,drive=disk',
        *_nic(namespace.MANAGEMENT, host, 'virtio-net-pci', '52:54:00:08:00'),
        '-device', 'pcie-root-port,id=root-port,chassis=1,slot=1',
        *_nic(namespace.DATA, host, 'igb,bus=root-port', '52:54:00:09:00'),
        '-device', 'virtio-rng-pci',
        *_nic(namespace.SECOND, host, 'virtio-net-pci', '52:54:00:0a:00'),
    ]  # fmt: skip


def uuid(host: settings.Host) -> str:
    """Return the host's UUID; libvirt migrates only between two of them."""
    return f'00000000-0000-4000-8000-{host.number:012}'


def start(setup: settings.Settings) -> None:
    """Start every host that does not run; see wait()."""
    _make_key(setup)
    for host in setup.hosts:
        if not shell.alive(setup, host.name):
            _start(setup, host)


def wait(setup: settings.Settings) -> None:
    """Wait until all hosts can be used."""
    for host in setup.hosts:
        check = functools.partial(_answers, setup, host)
        shell.wait_for(f'start of {host.name}', check, BOOT_SECONDS)
        connect(setup, host)


def connect(setup: settings.Settings, host: settings.Host) -> None:
    """Keep one connection open, which later commands share."""
    name = f'ssh-{host.name}'
    if not shell.alive(setup, name):
        shell.stop(setup, name)
        shell.run(shell.chroot(setup, ['rm', '-f', _socket(host)]), timeout=10)
        shell.spawn(setup, name, _ssh(setup, host, '-M', '-N'))


def ssh(
    setup: settings.Settings,
    host: settings.Host,
    command: str,
    timeout: float,
    input: str | None = None,
) -> str:
    """Run a shell command in a host and return its output.

    :raises shell.Failed: if it fails, or has not ended after ``timeout`` s
    """
    argv = [*_ssh(setup, host), command]
    try:
        return shell.run(argv, timeout=timeout, input=input)
    except shell.Failed as exc:
        if not shell.alive(setup, host.name):
            raise shell.Failed(_ended(setup, host)) from exc
        raise


def login(setup: settings.Settings, host: settings.Host) -> list[str]:
    """Return the command that logs in to a host from a terminal."""
    return _ssh(setup, host, '-t')


def running(setup: settings.Settings) -> bool:
    """True if every host runs."""
    return all(shell.alive(setup, host.name) for host in setup.hosts)


def connected(setup: settings.Settings) -> bool:
    """True if every host runs and has a connection that is kept open."""
    names = [f'ssh-{host.name}' for host in setup.hosts]
    return running(setup) and all(shell.alive(setup, name) for name in names)


def _start(setup: settings.Settings, host: settings.Host) -> None:
    disk = _disk(setup, host)
    setup.state.mkdir(parents=True, exist_ok=True)
    backing = ['-b', str(host_image.disk(setup)), '-F', 'raw']
    argv = ['qemu-img', 'create', '-q', '-f', 'qcow2', *backing, disk]
    shell.run(shell.chroot(setup, argv), timeout=60)
    argv = ['qemu-system-x86_64', *arguments(setup, host)]
    shell.spawn(setup, host.name, shell.inside(setup, argv))


def _answers(setup: settings.Settings, host: settings.Host) -> bool:
    if not shell.alive(setup, host.name):
        raise shell.Failed(_ended(setup, host))
    try:
        ssh(setup, host, READY, 60)
    except shell.Failed:
        said = _said(setup, host)
        if HUNG in said or PANIC in said:
            print(f'{host.name} hangs in its start; it is started again',
                  flush=True)  # fmt: skip
            shell.stop(setup, host.name)
            _start(setup, host)
        return False
    return True


def _ended(setup: settings.Settings, host: settings.Host) -> str:
    console = _console(setup, host)
    last = [line for line in _said(setup, host).splitlines() if PANIC in line]
    why = f': {last[-1].strip()!a}' if last else ''
    return (
        f'{host.name} has ended{why}; see {setup.log}/{host.name}.log, '
        f'{console.name} and {_resets(setup, host).name}, and start anew '
        'with python3 -m lab down and python3 -m lab up'
    )


def _identity(setup: settings.Settings, host: settings.Host) -> str:
    public = (setup.state / 'ssh' / 'key.pub').read_bytes()
    key = base64.b64encode(public).decode()
    return (
        f'lab.address={host.address}/24 systemd.hostname={host.name} '
        f'systemd.machine_id={host.number:032} '
        f'systemd.set_credential_binary=ssh.authorized_keys.root:{key}'
    )


def _nic(
    nic: str, host: settings.Host, model: str, prefix: str
) -> tuple[str, ...]:
    tap = namespace.tap(nic, host)
    return (
        '-netdev', f'tap,id={tap},ifname={tap},script=no,downscript=no',
        '-device', f'{model},netdev={tap},mac={prefix}:{host.number:02x}',
    )  # fmt: skip


def _make_key(setup: settings.Settings) -> None:
    key = setup.state / 'ssh' / 'key'
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        argv = ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lab']
        shell.run(shell.chroot(setup, [*argv, '-f', str(key)]), timeout=30)


def _ssh(
    setup: settings.Settings, host: settings.Host, *words: str
) -> list[str]:
    """Return an ssh command; the hosts' own keys are of no meaning here."""
    options = {
        'BatchMode': 'yes',
        'ConnectTimeout': '20',
        'ControlPath': _socket(host),
        'IdentityFile': f'{setup.state}/ssh/key',
        'LogLevel': 'ERROR',
        'ServerAliveInterval': '30',
        'StrictHostKeyChecking': 'no',
        'UserKnownHostsFile': '/dev/null',
    }
    argv = ['ssh', '-F', '/dev/null', *words]
    for name, value in options.items():
        argv += ['-o', f'{name}={value}']
    return shell.inside(setup, [*argv, f'root@{host.address}'])


def _console(setup: settings.Settings, host: settings.Host) -> pathlib.Path:
    """Return the console's log, which QEMU begins anew at each start."""
    return setup.log / f'{host.name}-console.log'


def _said(setup: settings.Settings, host: settings.Host) -> str:
    console = _console(setup, host)
    return console.read_text(errors='replace') if console.exists() else ''


def _resets(setup: settings.Settings, host: settings.Host) -> pathlib.Path:
    """Return where QEMU writes the processors' state at each reset."""
    return setup.log / f'{host.name}-resets.log'


def _disk(setup: settings.Settings, host: settings.Host) -> str:
    return str(setup.state / f'{host.name}.qcow2')


def _socket(host: settings.Host) -> str:
    """Return the connection's socket, in the tree's own /run: it is short."""
    return f'/run/lab-{host.name}'


STAGES = [
    *accel.STAGES,
    stages.Stage('start of the hosts', start, running),
]
