# SPDX-License-Identifier: Apache-2.0
"""The Debian tree: chroot of the control plane, tool box, image of the hosts.

Nothing is installed on the machine: even debootstrap is only unpacked below
the lab's folder. The mirror of Debian is that which this machine uses, unless
one is set; proxies, certificates and the package index are those of it.
"""

import os
import pathlib
import re
import shutil

from lab import settings
from lab import shell
from lab import stages
from lab.build import mirror
from lab.build import mounts

SUITE = 'trixie'
BASE = 'ca-certificates,iproute2,systemd-sysv,udev,dbus,kmod,procps'
PACKAGES = (
    'busybox-static',
    'cpio',
    'dmidecode',
    'dnsmasq-base',
    'dosfstools',
    'e2fsprogs',
    'ethtool',
    'ipxe-qemu',
    'iputils-ping',
    'libvirt-clients',
    'libvirt-daemon-driver-qemu',
    'libvirt-daemon-system',
    'linux-image-amd64',
    'mariadb-server',
    'mtools',
    'openssh-client',
    'openssh-server',
    'pciutils',
    'python3-libvirt',
    'python3-venv',
    'qemu-guest-agent',
    'qemu-system-x86',
    'qemu-utils',
    'rabbitmq-server',
    'seabios',
    'syslinux',
    'syslinux-common',
    'tcpdump',
    'xz-utils',
    'zstd',
)
BUILD = ('gcc', 'libc6-dev', 'libpython3-dev')
PYTHON = (
    'nova==34.0.0',
    'neutron==29.0.0',
    'keystone==30.0.0',
    'glance==33.0.0',
    'openstack-placement==16.0.0',
    'python-openstackclient',
    'openstacksdk',
    'PyMySQL',
    'pymemcache',
    'uwsgi',
    'rich',
    'pbr',
    'setuptools',
)

_APT = """
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
APT::Sandbox::User "root";
Dir::Cache::archives "{archives}/";
"""


def _bootstrap(setup: settings.Settings) -> None:
    """Make the tree anew; one that was cut off is deleted first."""
    mounts.unmount(setup)
    if setup.tree.exists():
        mounts.delete(setup, setup.tree)
    bootstrap(setup, setup.tree, str(debs(setup)))
    stages.stamp(setup, 'bootstrap', _bootstrap_content())


def bootstrap(
    setup: settings.Settings, target: pathlib.Path, archives: str
) -> None:
    """Make a small Debian tree, whose apt works as that of this machine.

    :param archives: where its apt keeps packages, as a path in the tree
    """
    setup.log.mkdir(parents=True, exist_ok=True)
    program, env = _debootstrap(setup)
    chosen = mirror.choose(setup, SUITE)
    shell.run(
        [program, '--variant=minbase', f'--include={BASE}',
         f'--cache-dir={debs(setup)}', SUITE, str(target),
         *([chosen] if chosen else [])],
        timeout=1200,
        log=setup.log / 'tree.log',
        env=env,
    )  # fmt: skip
    _configure_clients(target, archives)


def debs(setup: settings.Settings) -> pathlib.Path:
    """Where Debian's packages are kept; apt knows each by its content."""
    folder = setup.cache / 'debs'
    (folder / 'partial').mkdir(parents=True, exist_ok=True)
    return folder


def _debootstrap(setup: settings.Settings) -> tuple[str, dict[str, str]]:
    """Return the program and what its environment needs."""
    present = shutil.which('debootstrap')
    if present:
        return present, {}
    folder = setup.cache / 'debootstrap'
    folder.mkdir(parents=True, exist_ok=True)
    shell.run(
        ['sh', '-c', 'cd "$1" && apt-get download -q debootstrap && '
         'dpkg-deb -x debootstrap_*.deb .', 'sh', str(folder)],
        timeout=300,
        log=setup.log / 'tree.log',
    )  # fmt: skip
    script = folder / 'usr/sbin/debootstrap'
    return str(script), {
        'DEBOOTSTRAP_DIR': str(folder / 'usr/share/debootstrap')
    }


def _configure_clients(tree: pathlib.Path, archives: str) -> None:
    """Let apt and pip in the tree work as they do on this machine."""
    (tree / 'etc/apt/apt.conf.d/90lab').write_text(
        _APT.format(archives=archives)
    )
    for path in pathlib.Path('/etc/apt/apt.conf.d').glob('*'):
        text = path.read_text()
        if re.search(r'Acquire::|Proxy', text) and 'docker' not in path.name:
            (tree / 'etc/apt/apt.conf.d' / path.name).write_text(text)
    certificates = pathlib.Path('/etc/ssl/certs/ca-certificates.crt')
    if certificates.is_file():
        shutil.copy(certificates, tree / 'etc/ssl/certs/lab-machine.crt')
    for name in ('resolv.conf', 'hosts'):
        shutil.copy(f'/etc/{name}', tree / 'etc' / name)
    policy = tree / 'usr/sbin/policy-rc.d'
    policy.write_text('#!/bin/sh\nexit 101\n')
    policy.chmod(0o755)


def _packages(setup: settings.Settings) -> None:
    mounts.mount(setup)
    shell.run(
        shell.chroot(setup, ['apt-get', 'update', '-q']),
        timeout=300,
        log=setup.log / 'tree.log',
    )
    shell.run(
        shell.chroot(
            setup,
            ['apt-get', 'install', '-y', '-q', '--no-install-recommends',
             *PACKAGES, *BUILD],
        ),
        timeout=1800,
        log=setup.log / 'tree.log',
        env={'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C.UTF-8'},
    )  # fmt: skip
    stages.stamp(setup, 'packages', _packages_content())


def _python(setup: settings.Settings) -> None:
    """Make the virtual environment that both sides of the lab use."""
    mounts.mount(setup)
    pip = f'{setup.venv}/bin/pip'
    certificate = '/etc/ssl/certs/lab-machine.crt'
    wanted = {
        name: value
        for name, value in os.environ.items()
        if name.startswith('PIP_') and name != 'PIP_FIND_LINKS'
    }
    env = {**wanted, **_pip_index(), 'HOME': '/root', 'LC_ALL': 'C.UTF-8'}
    if (setup.tree / certificate[1:]).exists():
        env |= {'PIP_CERT': certificate, 'SSL_CERT_FILE': certificate}
    shell.run(
        shell.chroot(
            setup,
            ['python3', '-m', 'venv', '--system-site-packages', setup.venv],
        ),
        timeout=120,
        log=setup.log / 'tree.log',
    )
    shell.run(
        shell.chroot(
            setup,
            [pip, 'install', '-q', f'--cache-dir={setup.cache / "pip"}',
             *PYTHON],
        ),
        timeout=1800,
        log=setup.log / 'tree.log',
        env=env,
    )  # fmt: skip
    stages.stamp(setup, 'python', _python_content())


def _pip_index() -> dict[str, str]:
    """Return the package index of this machine's pip, if it names one."""
    try:
        listed = shell.run(
            ['python3', '-m', 'pip', 'config', 'list'], timeout=60
        )
    except shell.Failed:
        return {}
    found = re.search(
        r"^(?:global|site|user)\.index-url='(.+)'$", listed, re.MULTILINE
    )
    return {'PIP_INDEX_URL': found.group(1)} if found else {}


def _bootstrap_content() -> str:
    return stages.digest(SUITE, BASE)


def _packages_content() -> str:
    return stages.digest(_bootstrap_content(), PACKAGES, BUILD)


def _python_content() -> str:
    return stages.digest(_packages_content(), PYTHON)


STAGES = [
    stages.Stage(
        'Debian tree',
        _bootstrap,
        lambda setup: stages.stamped(setup, 'bootstrap', _bootstrap_content()),
    ),
    stages.Stage(
        'Debian packages',
        _packages,
        lambda setup: stages.stamped(setup, 'packages', _packages_content()),
    ),
    stages.Stage(
        'Python packages',
        _python,
        lambda setup: stages.stamped(setup, 'python', _python_content()),
    ),
]
