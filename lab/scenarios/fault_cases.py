# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on purpose, with real libvirt and a real guest."""

import time
from xml.etree import ElementTree

from lab import shell
from lab.judge import outcome
from lab.scenarios import fault_run

FUNCTIONS = '/sys/class/net/*/device/sriov_numvfs'
FAST = 1000  # MiB/s
OTHER = '/run/lab-other.xml'
LIBVIRTD = 'libvirtd.socket libvirtd-tcp.socket libvirtd'
"""Its units; migrations come in by the second."""
RNG = (
    '<rng model="virtio"><backend model="random">/dev/urandom</backend>'
    '{}</rng>'
)
HAVE = f'for f in {FUNCTIONS}; do test $(cat $f) -gt 0 && echo $f; done; true'


def never_releases(case: fault_run.Case) -> None:
    case.start()


def late(case: fault_run.Case) -> None:
    """The guest lets go when it is reset, a second after the deadline."""
    case.start()
    case.reached(case.source, 'unplug', 'end')
    time.sleep(1)
    case.virsh(case.source, 'reset')
    case.reached(case.source, r'\(plug\|heal\)', 'end')


def paused(case: fault_run.Case) -> None:
    case.cloud('pause')
    try:
        case.start()
    except shell.Failed as failure:
        # The API's answer, where it waits for the checks.
        case.check('it is refused', 'No valid host' in str(failure))
    case.way.wait_for(
        'the refusal', lambda: case.migration() == 'error', fault_run.REACHED
    )
    found, seen = case.collect()
    said = [event['details'] for event in seen['events'] if event['details']]
    case.check('an event says why', any('is paused' in each for each in said))
    case.check(
        'it is paused on the source with its VFs',
        (found.status, found.host) == ('PAUSED', case.source.name)
        and len(found.hosts[found.host].live) == len(found.macs),
        f'{found.status} on {found.host}',
    )
    asked = case.saw(case.source, 'unplug')
    case.check('no VF was asked for', not asked, str(asked))
    case.cloud('unpause')


def booting(case: fault_run.Case) -> None:
    case.start()


def reboots(case: fault_run.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    case.virsh(case.source, 'reset')


def kill_unplug(case: fault_run.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    kill_and_start(case)


def kill_copy(case: fault_run.Case) -> None:
    case.start()
    case.copy_slowly()
    kill_and_start(case)


def kill_and_start(case: fault_run.Case) -> None:
    case.on(
        case.source,
        'systemctl kill -s KILL nova-compute; sleep 1; '
        'systemctl reset-failed nova-compute; systemctl start nova-compute',
    )


def abort_unplug(case: fault_run.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    case.cloud('abort')


def abort_copy(case: fault_run.Case) -> None:
    case.start()
    case.copy_slowly()
    case.cloud('abort')


def vf_gone(case: fault_run.Case) -> None:
    """All VFs of the destination vanish, and come back after the arrival."""
    case.start()
    case.reached(case.source, 'unplug')
    (path,) = case.on(case.destination, HAVE).split()
    number = case.on(case.destination, f'cat {path}').strip()
    try:
        case.on(case.destination, f'echo 0 > {path}')
        case.virsh(case.source, 'reset')
        case.reached(case.destination, 'plug', 'end')
    finally:
        case.on(case.destination, f'echo {number} > {path}')


def no_root_port(case: fault_run.Case) -> None:
    """Another device has the VF's root port when the guest has arrived.

    The destination's nova-compute is held until it has. The VF comes when
    the other device is taken out.
    """
    case.start()
    case.copy_slowly()
    must = ElementTree.fromstring(
        case.virsh(case.source, 'dumpxml --inactive')
    )
    address = must.find("devices/interface[@type='hostdev']/address")
    assert address is not None
    other = RNG.format(ElementTree.tostring(address, encoding='unicode'))
    case.on(case.destination, f"echo '{other}' > {OTHER}")
    case.on(case.destination, 'systemctl kill -s STOP nova-compute')
    try:
        case.virsh(case.source, f'migrate-setspeed --bandwidth {FAST}')
        case.until(
            case.destination,
            f'virsh domstate {case.server.uuid} | grep -q running',
        )
        case.virsh(case.destination, f'attach-device --live --file {OTHER}')
    finally:
        case.on(case.destination, 'systemctl kill -s CONT nova-compute')
    case.reached(case.destination, 'plug', 'end')
    wait_for_end(case)
    case.degraded()
    case.virsh(case.destination, f'detach-device --live --file {OTHER}')


def wait_for_end(case: fault_run.Case) -> None:
    case.way.wait_for(
        'the end of a migration',
        lambda: not case.migration().startswith(('preparing', 'running')),
        fault_run.REACHED,
        every=2,
    )


def destination_libvirtd(case: fault_run.Case) -> None:
    case.start()
    case.copy_slowly()
    try:
        case.on(case.destination, f'systemctl stop {LIBVIRTD}')
        wait_for_end(case)
    finally:
        case.on(case.destination, f'systemctl start {LIBVIRTD}')


def source_libvirtd(case: fault_run.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    case.on(case.source, 'systemctl restart libvirtd')
    case.virsh(case.source, 'reset')


FAULTS = {
    'never_releases': fault_run.Fault(
        'the guest never releases its VF',
        never_releases, (outcome.STAYED,), deaf=True,
    ),
    'holds_only': fault_run.Fault(
        'the guest never releases the only NIC that it has',
        never_releases, (outcome.STAYED,), deaf=True, kind='none',
    ),
    'late': fault_run.Fault(
        'the guest releases it one second after the deadline',
        late, (outcome.STAYED,), deaf=True,
    ),
    'paused': fault_run.Fault(
        'the guest is paused', paused, (outcome.REFUSED,),
    ),
    'booting': fault_run.Fault(
        'the guest is still booting',
        booting, (outcome.MOVED, outcome.STAYED), booting=True,
    ),
    'reboots': fault_run.Fault(
        'the guest reboots while it is asked',
        reboots, (outcome.MOVED, outcome.STAYED), deaf=True,
    ),
    'kill_unplug': fault_run.Fault(
        'kill -9 of the source nova-compute during the unplug',
        kill_unplug, (outcome.STAYED,), deaf=True,
    ),
    'kill_copy': fault_run.Fault(
        'kill -9 of the source nova-compute during the copy',
        kill_copy, (outcome.STAYED,),
    ),
    'abort_unplug': fault_run.Fault(
        'the user aborts during the unplug',
        abort_unplug, (outcome.CANCELLED,), deaf=True,
    ),
    'abort_copy': fault_run.Fault(
        'the user aborts during the copy',
        abort_copy, (outcome.CANCELLED,),
    ),
    'vf_gone': fault_run.Fault(
        'the VFs of the destination vanish and come back',
        vf_gone, (outcome.MOVED,), deaf=True,
    ),
    'no_root_port': fault_run.Fault(
        'another device has its root port at the destination',
        no_root_port, (outcome.MOVED,),
    ),
    'destination_libvirtd': fault_run.Fault(
        'libvirtd of the destination is stopped during the copy',
        destination_libvirtd, (outcome.STAYED,),
    ),
    'source_libvirtd': fault_run.Fault(
        'libvirtd of the source is restarted during the unplug',
        source_libvirtd, (outcome.MOVED, outcome.STAYED), deaf=True,
    ),
}  # fmt: skip
