# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on purpose, with real libvirt and a real guest."""

import pathlib
import time

from lab import facts
from lab import faults
from lab import guest
from lab import journey
from lab import settings
from lab import shell

RATE = 20
DEAF = 'lab-guest-deaf'
FUNCTIONS = '/sys/class/net/*/device/sriov_numvfs'
HAVE = f'for f in {FUNCTIONS}; do test $(cat $f) -gt 0 && echo $f; done; true'


def never_releases(case: faults.Case) -> None:
    case.start()


def late(case: faults.Case) -> None:
    """The guest lets go when it is reset, a second after the deadline."""
    case.start()
    case.reached(case.source, 'unplug', 'end')
    time.sleep(1)
    case.virsh(case.source, 'reset')
    case.reached(case.source, 'heal', 'end')


def paused(case: faults.Case) -> None:
    case.cloud('pause')
    case.start()
    shell.wait_for(
        'the refusal',
        lambda: (
            facts.cloud(case.setup, 'look', case.server.uuid)['migrations'][0][
                'status'
            ]
            == 'error'
        ),
        60,
    )
    if case.saw(case.source, 'unplug'):
        raise shell.Failed('a device of a paused guest was asked for')
    case.cloud('unpause')


def booting(case: faults.Case) -> None:
    case.start()


def reboots(case: faults.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    case.virsh(case.source, 'reset')


def kill_unplug(case: faults.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    kill_and_start(case)


def kill_copy(case: faults.Case) -> None:
    case.start()
    case.copy_slowly()
    kill_and_start(case)


def kill_and_start(case: faults.Case) -> None:
    case.on(
        case.source,
        'systemctl kill -s KILL nova-compute; sleep 1; '
        'systemctl reset-failed nova-compute; systemctl start nova-compute',
    )


def abort_unplug(case: faults.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    case.cloud('abort')


def abort_copy(case: faults.Case) -> None:
    case.start()
    case.copy_slowly()
    case.cloud('abort')


def vf_gone(case: faults.Case) -> None:
    """All VFs of the destination vanish, and come back after the arrival."""
    case.start()
    case.reached(case.source, 'unplug')
    (path,) = case.on(case.destination, HAVE).split()
    number = case.on(case.destination, f'cat {path}').strip()
    case.on(case.destination, f'echo 0 > {path}')
    case.virsh(case.source, 'reset')
    case.reached(case.destination, 'plug', 'end')
    case.on(case.destination, f'echo {number} > {path}')


def destination_libvirtd(case: faults.Case) -> None:
    case.start()
    case.copy_slowly()
    case.on(case.destination, 'systemctl stop libvirtd.socket libvirtd')
    shell.wait_for(
        'the end of the migration',
        lambda: (
            facts.cloud(case.setup, 'look', case.server.uuid)['task_state']
            is None
        ),
        faults.REACHED,
        every=2,
    )
    case.on(case.destination, 'systemctl start libvirtd.socket libvirtd')


def source_libvirtd(case: faults.Case) -> None:
    case.start()
    case.reached(case.source, 'unplug')
    case.on(case.source, 'systemctl restart libvirtd')
    case.virsh(case.source, 'reset')


FAULTS = {
    'never_releases': faults.Fault(
        'the guest never releases its VF',
        never_releases, (faults.STAYED,), deaf=True,
    ),
    'late': faults.Fault(
        'the guest releases it one second after the deadline',
        late, (faults.STAYED,), deaf=True,
    ),
    'paused': faults.Fault(
        'the guest is paused', paused, (faults.REFUSED,),
    ),
    'booting': faults.Fault(
        'the guest is still booting',
        booting, (faults.MOVED, faults.STAYED), booting=True,
    ),
    'reboots': faults.Fault(
        'the guest reboots while it is asked',
        reboots, (faults.MOVED, faults.STAYED), deaf=True,
    ),
    'kill_unplug': faults.Fault(
        'kill -9 of the source nova-compute during the unplug',
        kill_unplug, (faults.STAYED,), deaf=True,
    ),
    'kill_copy': faults.Fault(
        'kill -9 of the source nova-compute during the copy',
        kill_copy, (faults.STAYED,),
    ),
    'abort_unplug': faults.Fault(
        'the user aborts during the unplug',
        abort_unplug, (faults.CANCELLED,), deaf=True,
    ),
    'abort_copy': faults.Fault(
        'the user aborts during the copy',
        abort_copy, (faults.CANCELLED,),
    ),
    'vf_gone': faults.Fault(
        'the VFs of the destination vanish and come back',
        vf_gone, (faults.MOVED,), deaf=True,
    ),
    'destination_libvirtd': faults.Fault(
        'libvirtd of the destination is stopped during the copy',
        destination_libvirtd, (faults.STAYED,),
    ),
    'source_libvirtd': faults.Fault(
        'libvirtd of the source is restarted during the unplug',
        source_libvirtd, (faults.MOVED, faults.STAYED), deaf=True,
    ),
}  # fmt: skip


def run(
    setup: settings.Settings,
    folder: pathlib.Path,
    only: list[str] | None = None,
) -> int:
    """Inflict them one after the other; a whole server is used again."""
    names = only or list(FAULTS)
    unknown = set(names) - set(FAULTS)
    if unknown:
        raise shell.Failed(
            f'no fault {", ".join(sorted(unknown))}; there are '
            f'{", ".join(FAULTS)}'
        )
    outcomes: list[faults.Outcome] = []
    for deaf in (False, True):
        chosen = [name for name in names if FAULTS[name].deaf == deaf]
        outcomes += _run(setup, folder, chosen, deaf)
    text = '\n'.join(outcome.line() for outcome in outcomes)
    (folder / 'faults.txt').write_text(text + '\n')
    print(f'\n{text}\n\nSee: {folder}/faults.txt')
    return 0 if all(outcome.end for outcome in outcomes) else 1


def _run(
    setup: settings.Settings,
    folder: pathlib.Path,
    names: list[str],
    deaf: bool,
) -> list[faults.Outcome]:
    outcomes: list[faults.Outcome] = []
    server: facts.Server | None = None
    for name in names:
        fault = FAULTS[name]
        if server is not None and (fault.booting or not outcomes[-1].end):
            journey.delete(setup, server.uuid)
            server = None
        fresh = server is None
        if server is None:
            server = _boot(setup, f'{folder.name}-{name}', deaf)
        way = journey.Journey(setup, folder / name, server, RATE)
        way.folder.mkdir()
        with journey.probing(way):
            if fresh and not fault.booting:
                shell.wait_for(
                    'the guest to answer', way.answering, journey.BOOT, 3
                )
            outcomes.append(faults.run(name, fault, way))
    if server is not None and outcomes[-1].end:
        journey.delete(setup, server.uuid)
    return outcomes


def _boot(setup: settings.Settings, name: str, deaf: bool) -> facts.Server:
    host = setup.hosts[0].name
    journey.say(f'booting a server on {host}')
    if not deaf:
        return journey.boot(setup, name, host, 1)
    image = guest.image(setup, guest.DEAF)
    if not image.exists():
        guest.build(setup, guest.DEAF)
    # Named by its content, and seen from the tree as from here.
    facts.cloud(setup, 'image', f'{DEAF}-{image.stem}', str(image))
    return journey.boot(setup, name, host, 1, f'{DEAF}-{image.stem}')
