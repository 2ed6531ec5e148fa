# SPDX-License-Identifier: Apache-2.0
"""The contract suites against libvirt and kernel of the compute hosts."""

import pathlib

from lab import settings
from lab.build import guest_image
from lab.hosts import machine
from lab.hosts import provision

FOLDER = '/var/lib/pt-contract'
MODULES = (
    'nova_pt_migrate.tests.lab.test_contract '
    'nova_pt_migrate.tests.lab.test_links'
)


def run(setup: settings.Settings, folder: pathlib.Path) -> int:
    """Run it on the first host, towards the second."""
    first, second = setup.hosts
    disk = {'guest.qcow2': guest_image.image(setup).read_bytes()}
    for where in (first, second):
        machine.ssh(setup, where, f'mkdir -p {FOLDER}', 60)
        provision.put(setup, where, disk, FOLDER)
    output = machine.ssh(
        setup,
        first,
        f'PT_CONTRACT_DESTINATION={second.address} {setup.venv}/bin/python '
        f'-m unittest -v {MODULES} 2>&1; echo "exit status $?"',
        3600,
    )
    (folder / 'contract.txt').write_text(output)
    print(output)
    return 0 if output.rstrip().endswith('exit status 0') else 1
