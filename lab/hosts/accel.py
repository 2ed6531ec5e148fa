# SPDX-License-Identifier: Apache-2.0
"""How the compute hosts are emulated: by KVM where that really works.

An openable /dev/kvm proves nothing: some kernels offer one that cannot start
a stock kernel, or hides the extension that nested guests need. So one is
started, once for each kernel of this machine.
"""

import os
import pathlib
import platform

from lab import settings
from lab import shell
from lab import stages
from lab.build import initramfs

SECONDS = 40.0  # for a start that takes one second where KVM works
KVM = ('-accel', 'kvm', '-cpu', 'host', '-smp', '2')
# Of virtualisation extensions TCG emulates only AMD's. 57 bit addresses are
# slow to emulate, and of no use here. Hosts with two processors have ended
# about once in 30 migrations, most with the kernel's stack of the guest's
# vCPU overwritten; why is not known, and none with one has ended so far.
TCG = ('-accel', 'tcg,tb-size=512', '-cpu', 'max,-la57', '-smp', '1')


def arguments(setup: settings.Settings) -> tuple[str, ...]:
    """Return QEMU's arguments for the accelerator that was chosen."""
    return KVM if _choice(setup).read_text() == 'kvm' else TCG


def choose(setup: settings.Settings) -> None:
    """Try KVM and note what is used."""
    usable = os.access('/dev/kvm', os.R_OK | os.W_OK)
    chosen = 'kvm' if usable and _boots(setup) else 'tcg'
    _choice(setup).write_text(chosen)


def _boots(setup: settings.Settings) -> bool:
    """Start a stock kernel; true if it can run guests itself."""
    setup.run.mkdir(parents=True, exist_ok=True)
    kernel, initrd = setup.run / 'probe-kernel', setup.run / 'probe-initrd'
    serial = setup.log / 'kvm-probe.log'
    kernel.write_bytes(initramfs.plain_kernel(setup))
    init = settings.FILES / 'machine' / 'probe'
    initrd.write_bytes(initramfs.build(setup, init, ()))
    serial.unlink(missing_ok=True)
    argv = [
        'qemu-system-x86_64', '-machine', 'q35,kernel-irqchip=split', *KVM,
        '-m', '512', '-nodefaults', '-display', 'none', '-no-reboot',
        '-kernel', str(kernel), '-initrd', str(initrd),
        '-append', 'console=ttyS0 panic=-1', '-serial', f'file:{serial}',
    ]  # fmt: skip
    try:
        shell.run(shell.chroot(setup, argv), timeout=SECONDS)
    except shell.Failed as exc:
        with serial.open('a') as log:
            log.write(f'{exc}\n')
    return 'lab-probe nested' in serial.read_text(errors='replace')


def _choice(setup: settings.Settings) -> pathlib.Path:
    content = stages.digest(platform.release(), initramfs.kernel(setup))
    return setup.cache / f'accelerator-{content}'


STAGES = [
    stages.Stage(
        'accelerator',
        run=choose,
        done=lambda setup: _choice(setup).exists(),
    )
]
