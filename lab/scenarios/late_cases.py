# SPDX-License-Identifier: Apache-2.0
"""What goes wrong late: where the memory may be current on one host only.

And what is ended by its operator, who asks first.
"""

import collections.abc
import functools
import json

from lab.hosts import config
from lab.hosts import machine
from lab.judge import outcome
from lab.observe import facts
from lab.scenarios import fault_cases
from lab.scenarios import fault_run
from lab.scenarios import journey
from lab.scenarios import post_copy

BYSTANDER = 'bystander'
FUNCTION = ('vf', 'mac', 'vlan_list', 'rate', 'spoofchk', 'trust')
"""What the kernel tells of a VF that somebody may have set."""


def source_libvirtd_late(case: fault_run.Case) -> None:
    """libvirtd of the source dies when the guest has been handed over.

    That of the destination is held until then, so that the copy ends and
    nobody has been told that the guest runs there.
    """
    case.start()
    case.copy_slowly()
    case.on(case.destination, 'systemctl kill -s STOP libvirtd')
    try:
        case.virsh(
            case.source, f'migrate-setspeed --bandwidth {fault_cases.FAST}'
        )
        case.until_state(case.source, 'paused (migrating)')
        case.on(case.source, 'systemctl kill -s KILL libvirtd')
    finally:
        case.on(case.destination, 'systemctl kill -s CONT libvirtd')
    case.until_state(case.destination, 'running')
    case.on(case.source, 'systemctl start libvirtd')


def bystander(case: fault_run.Case) -> None:
    """Another server has the VF of that address at the destination."""
    other = journey.boot(
        case.setup, BYSTANDER, case.destination.name, 1, 'none'
    )
    try:
        before = _function(case, other)
        found, _ = case.collect()
        here = found.hosts[case.source.name].live
        case.check(
            'both have the same address',
            bool(here) and here == before['devices'],
            f'{here}, {before["devices"]}',
        )
        case.start()
        case.copy_slowly()
        case.cloud('abort')
        fault_cases.wait_for_end(case)
        case.ended((outcome.CANCELLED,))
        after = _function(case, other)
        case.check('its VF is untouched', before == after, f'{after}')
    finally:
        journey.delete(case.setup, other.uuid)


def _function(case: fault_run.Case, other: facts.Server) -> dict[str, object]:
    """Return what the destination shows of another server's VF."""
    seen = facts.observe(case.setup, case.destination, other)
    shown = machine.ssh(
        case.setup,
        case.destination,
        f'ip -d -j link show dev {config.PHYSICAL_FUNCTION}',
        60,
    )
    (link,) = json.loads(shown)
    return {
        'devices': seen.live,
        'persistent': seen.persistent,
        'function': [
            {key: vf.get(key) for key in FUNCTION}
            for vf in link['vfinfo_list']
            if vf.get('address', vf.get('mac')) in other.macs
        ],
    }


Reach = collections.abc.Callable[[fault_run.Case], None]


def _unplugging(case: fault_run.Case) -> None:
    case.reached(case.source, 'unplug')


def _copying(case: fault_run.Case) -> None:
    case.copy_slowly()


def _plugging(case: fault_run.Case) -> None:
    case.reached(case.destination, 'plug')


def terminated(case: fault_run.Case, there: bool, reach: Reach) -> None:
    """An operator restarts the nova-compute of one host."""
    case.start()
    reach(case)
    host = case.destination if there else case.source
    case.on(host, 'systemctl restart nova-compute')
    if there and reach is _copying:
        case.virsh(
            case.source, f'migrate-setspeed --bandwidth {fault_cases.FAST}'
        )


def _terminations() -> dict[str, fault_run.Fault]:
    """Return one for each host and for each phase that it has a part in."""
    either = (outcome.MOVED, outcome.STAYED)
    # Where there is time it is ended as if the user had aborted it.
    stays = (outcome.CANCELLED, outcome.STAYED)
    cases = (
        ('unplug', _unplugging, False, stays, True),
        ('unplug', _unplugging, True, either, False),
        ('copy', _copying, False, either, False),
        ('copy', _copying, True, either, False),
        ('plug', _plugging, False, (outcome.MOVED,), False),
        ('plug', _plugging, True, (outcome.MOVED,), False),
    )
    return {
        f'term_{phase}_{"destination" if there else "source"}': (
            fault_run.Fault(
                f'nova-compute of the '
                f'{"destination" if there else "source"} is restarted in '
                f'phase {phase}',
                functools.partial(terminated, there=there, reach=reach),
                allowed,
                deaf=deaf,
            )
        )
        for phase, reach, there, allowed, deaf in cases
    }


FAULTS = {
    'source_libvirtd_late': fault_run.Fault(
        'libvirtd of the source is killed when the memory has been copied',
        source_libvirtd_late, (outcome.MOVED,),
    ),
    'post_copy_cut': fault_run.Fault(
        "a post-copy's connection is cut after the switch-over",
        post_copy.cut, (outcome.MOVED,),
    ),
    'bystander': fault_run.Fault(
        'another server has a VF of the same address at the destination',
        bystander, (outcome.CANCELLED,),
    ),
    **_terminations(),
}  # fmt: skip
