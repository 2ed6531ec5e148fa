# SPDX-License-Identifier: Apache-2.0
"""Configure the compute hosts and run the services in them."""

import base64
import io
import os
import tarfile
import time

from lab import daemons
from lab import host_config
from lab import machine
from lab import settings
from lab import shell
from lab import stages

SERVICES = ('nova-compute', 'neutron-macvtap-agent', 'neutron-sriov-nic-agent')
LOGS = {
    'nova-compute': '/var/log/nova/nova-compute.log',
    'neutron-macvtap-agent': '/var/log/neutron/neutron-macvtap-agent.log',
    'neutron-sriov-nic-agent': '/var/log/neutron/neutron-sriov-nic-agent.log',
    'libvirtd': '/var/log/libvirt/libvirtd.log',
}
SECONDS = 900.0  # for the services to report; some 100 are usual
REPORT_SECONDS = 120  # they report each 30
DRIVER = os.environ.get('PT_LAB_DRIVER', host_config.OURS)

_REPORTED = """
SELECT who FROM (
    SELECT CONCAT(`binary`, ' ', host) AS who, last_seen_up AS seen
    FROM nova_cell1.services WHERE deleted = 0
    UNION ALL
    SELECT CONCAT(`binary`, ' ', host), heartbeat_timestamp
    FROM neutron.agents
) AS reports WHERE seen > UTC_TIMESTAMP() - INTERVAL {seconds} SECOND;
SELECT CONCAT('mapped ', host) FROM nova_api.host_mappings;
"""


def configure(setup: settings.Settings) -> None:
    """Bring each host its configuration."""
    for host in setup.hosts:
        texts = host_config.files(setup, host, DRIVER)
        content = {path: text.encode() for path, text in texts.items()}
        put(setup, host, content, '/')
        machine.ssh(setup, host, 'touch /run/lab-configured', 60)


def put(
    setup: settings.Settings,
    host: settings.Host,
    files: dict[str, bytes],
    folder: str,
) -> None:
    """Write files in a host, by their paths below a folder of it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w:gz') as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip('/'))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    text = base64.b64encode(packed.getvalue()).decode()
    # What tar makes on its way are folders that only root may enter.
    command = f'umask 022 && base64 -d | tar -C {folder} -xz'
    machine.ssh(setup, host, command, 120, input=text)


def configured(setup: settings.Settings) -> bool:
    """True if every host has its configuration since its start."""
    return _everywhere(setup, 'test -e /run/lab-configured')


def start(setup: settings.Settings) -> None:
    """Start the services in all hosts at once, and wait for their reports.

    :raises shell.Failed: if one ends, or does not report in time
    """
    begin = time.monotonic()
    for host in setup.hosts:
        command = f'systemctl start {" ".join(SERVICES)}'
        machine.ssh(setup, host, command, 120)

    def all_report() -> bool:
        # An older report is of a start before this one.
        missing = _silent(setup, int(time.monotonic() - begin))
        if missing:
            _check_alive(setup)
        return not missing

    what = 'reports of all services in the compute hosts'
    shell.wait_for(what, all_report, SECONDS, every=2)


def _silent(setup: settings.Settings, seconds: int) -> set[str]:
    """Return the services that have not reported in that time."""
    wanted = {
        f'{name} {host.name}'
        for name in (*SERVICES, 'mapped')
        for host in setup.hosts
    }
    reported = daemons.sql(setup, _REPORTED.format(seconds=seconds))
    return wanted - set(reported.splitlines())


def _check_alive(setup: settings.Settings) -> None:
    command = f'systemctl is-active {" ".join(SERVICES)} || true'
    for host in setup.hosts:
        states = machine.ssh(setup, host, command, 60).split()
        for service, state in zip(SERVICES, states, strict=True):
            if state in ('failed', 'inactive'):
                raise shell.Failed(
                    f'{service} on {host.name} has ended; see '
                    f'python3 -m lab logs {host.name}/{service}'
                )


def _started(setup: settings.Settings) -> bool:
    command = f'systemctl -q is-active {" ".join(SERVICES)}'
    return _everywhere(setup, command) and not _silent(setup, REPORT_SECONDS)


def _everywhere(setup: settings.Settings, command: str) -> bool:
    try:
        for host in setup.hosts:
            machine.ssh(setup, host, command, 60)
    except shell.Failed:
        return False
    return True


STAGES = [
    stages.Stage('hosts answer', machine.wait, machine.connected),
    stages.Stage('configuration of the hosts', configure, configured),
]
SERVICES_STAGE = stages.Stage('services in the hosts', start, _started)
