# SPDX-License-Identifier: Apache-2.0
"""Configure the compute hosts and run the services in them."""

import base64
import io
import os
import tarfile
import time

from lab import settings
from lab import shell
from lab import stages
from lab.cloud import daemons
from lab.hosts import config
from lab.hosts import machine

AGENTS = ('neutron-macvtap-agent', 'neutron-sriov-nic-agent')
SERVICES = ('nova-compute', *AGENTS)
LOGS = {
    'nova-compute': '/var/log/nova/nova-compute.log',
    'neutron-macvtap-agent': '/var/log/neutron/neutron-macvtap-agent.log',
    'neutron-sriov-nic-agent': '/var/log/neutron/neutron-sriov-nic-agent.log',
    'libvirtd': '/var/log/libvirt/libvirtd.log',
}
_STATES = f"""
systemctl is-active {' '.join(SERVICES)}
pid=$(systemctl show -p MainPID --value nova-compute)
grep -a " $pid CRITICAL " {LOGS['nova-compute']} | tail -1
"""
SECONDS = 900.0  # for the services to report; some 100 are usual
REPORT_SECONDS = 120  # they report each 30
DRIVER = os.environ.get('PT_LAB_DRIVER', config.OURS)

_CONFIGURED = '/run/lab-configured'
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


def configure(setup: settings.Settings, driver: str = DRIVER) -> None:
    """Bring each host its configuration; restart nova-compute if it runs."""
    for host in setup.hosts:
        texts = config.files(setup, host, driver)
        texts[_CONFIGURED] = _content(setup, host, driver) + '\n'
        content = {path: text.encode() for path, text in texts.items()}
        put(setup, host, content, '/')
    if runs(setup, AGENTS):
        restart_compute(setup)


def _content(
    setup: settings.Settings, host: settings.Host, driver: str = DRIVER
) -> str:
    return stages.digest(config.files(setup, host, driver))


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
    """True if every host has its configuration as it would be made now."""
    return all(
        succeeds(
            setup, host, f'grep -qx {_content(setup, host)} {_CONFIGURED}'
        )
        for host in setup.hosts
    )


def start(setup: settings.Settings) -> None:
    """Start the services in all hosts at once, and wait for their reports."""
    begin = time.monotonic()
    for host in setup.hosts:
        command = f'systemctl start {" ".join(SERVICES)}'
        machine.ssh(setup, host, command, 120)
    _wait_for_reports(setup, (*SERVICES, 'mapped'), begin)


def stop_compute(setup: settings.Settings) -> None:
    """Stop nova-compute in all hosts."""
    for host in setup.hosts:
        machine.ssh(setup, host, 'systemctl stop nova-compute', 120)


def restart_compute(setup: settings.Settings) -> None:
    """Restart nova-compute in all hosts at once, and wait for it."""
    for options in ('restart --no-block', 'start'):
        for host in setup.hosts:
            machine.ssh(setup, host, f'systemctl {options} nova-compute', 120)
    _wait_for_reports(setup, ('nova-compute',), time.monotonic())


def _wait_for_reports(
    setup: settings.Settings, names: tuple[str, ...], begin: float
) -> None:
    """Wait until the services have reported since a time.

    :raises shell.Failed: if one ends, or does not report in time
    """

    def all_report() -> bool:
        missing = _silent(setup, names, int(time.monotonic() - begin))
        if missing:
            _check_alive(setup)
        return not missing

    what = f'reports of {", ".join(names)} in the compute hosts'
    shell.wait_for(what, all_report, SECONDS, every=2)


def _silent(
    setup: settings.Settings, names: tuple[str, ...], seconds: int
) -> set[str]:
    """Return those of the services that have not reported in that time."""
    wanted = {f'{name} {host.name}' for name in names for host in setup.hosts}
    reported = daemons.sql(setup, _REPORTED.format(seconds=seconds))
    return wanted - set(reported.splitlines())


def _check_alive(setup: settings.Settings) -> None:
    """Raise for a service that has ended, or is about to.

    nova-compute does not always end after an error that is critical.
    """
    for host in setup.hosts:
        states = machine.ssh(setup, host, _STATES, 60).splitlines()
        for service, state in zip(SERVICES, states, strict=False):
            if state in ('failed', 'inactive'):
                raise shell.Failed(
                    f'{service} on {host.name} has ended; see '
                    f'python3 -m lab logs {host.name}/{service}'
                )
        if len(states) > len(SERVICES):
            raise shell.Failed(
                f'nova-compute on {host.name}: {states[-1]}; see python3 -m '
                f'lab logs {host.name}/nova-compute'
            )


def runs(setup: settings.Settings, services: tuple[str, ...]) -> bool:
    """True if the services run in all hosts."""
    command = ' && '.join(f'systemctl -q is-active {s}' for s in services)
    return all(succeeds(setup, host, command) for host in setup.hosts)


def _started(setup: settings.Settings) -> bool:
    names = (*SERVICES, 'mapped')
    return runs(setup, SERVICES) and not _silent(setup, names, REPORT_SECONDS)


def succeeds(
    setup: settings.Settings, host: settings.Host, command: str
) -> bool:
    """True if the command succeeds in the host."""
    try:
        machine.ssh(setup, host, command, 60)
    except shell.Failed:
        return False
    return True


STAGES = [
    stages.Stage('hosts answer', machine.wait, machine.connected),
    stages.Stage('configuration of the hosts', configure, configured),
]
SERVICES_STAGE = stages.Stage('services in the hosts', start, _started)
