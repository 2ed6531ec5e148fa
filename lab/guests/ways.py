# SPDX-License-Identifier: Apache-2.0
"""What is tried with each way of making one link of a pair."""

from lab import settings
from lab import shell
from lab.guests import inside
from lab.guests import managers
from lab.guests import trial as trials
from lab.guests import wires
from nova_pt_migrate.core import errors
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.guest import management
from nova_pt_migrate.guest import vendor_data
from nova_pt_migrate.guest.networks import contract

FAILOVER = 'failover'
WAYS = ('prepare', 'manage', 'observe', FAILOVER)
FOLDERS = (
    '/etc/NetworkManager', '/etc/netplan', '/etc/network', '/etc/systemd',
)  # fmt: skip
READ_ONLY = """\
[general]
block-rpcs=guest-exec,guest-exec-status
"""


def seeds(way: str, manager: managers.Manager) -> tuple[str, str]:
    """Return vendor data and user data of the guest."""
    if way in ('prepare', FAILOVER):
        return vendor_data.document(), ''
    if way == 'observe':
        path = settings.FILES / 'guests' / 'observe' / manager.name
        words = path.read_text()
        for token, value in (
            ('@MAC@', wires.PRIMARY),
            ('@TWIN@', wires.STANDBY),
            ('@OTHER@', wires.OTHER),
            ('@MTU@', str(wires.MTU)),
        ):
            words = words.replace(token, value)
        return '', words
    return '', ''


def run(way: str, trial: trials.Trial) -> None:
    """Try a way in a guest that starts.

    :raises shell.Failed: a step has failed
    """
    with trial.step('first boot'):
        trial.boots()
    if way == FAILOVER:
        _fail_over(trial)
        return
    if way == 'manage':
        _manage(trial)
    else:
        with trial.step('the bond is whole'):
            trial.is_whole()
            trial.note(f'NICs were put into it {trial.enslaved()} times')
    if way != 'observe':
        with trial.step('MTU and metric of the NIC'):
            trial.is_as_before()
    _round(trial, by_us=False)
    with trial.step('it is whole after a reboot'):
        trial.reboots()
        trial.is_whole()
    _round(trial, by_us=True)
    _enslave(trial)
    if way == 'manage':
        _keep_again(trial)
        _undo(trial)
    if way == 'observe':
        _read_only(trial)


def _fail_over(trial: trials.Trial) -> None:
    """The kernel makes one link; the guest's manager uses that alone."""
    with trial.step('the link is whole, and its slaves are left alone'):
        trial.is_joined()
    _leave_and_come(trial)
    with trial.step('it is whole after a reboot'):
        trial.reboots()
        trial.is_joined()
    _leave_and_come(trial)


def _leave_and_come(trial: trials.Trial) -> None:
    with trial.step('the standby carries traffic'):
        trial.machine.connect(True)
        trial.machine.unplug()
        trial.is_joined(slaves=1)
        trial.reaches(_failover(trial))
    with trial.step('the primary carries it again'):
        trial.machine.plug()
        trial.is_joined()
        trial.machine.connect(False)
        trial.is_joined()
        trial.reaches(_failover(trial))


def _failover(trial: trials.Trial) -> str:
    return next(nic.master for nic in trial.nics() if nic.master)


def _round(trial: trials.Trial, by_us: bool) -> None:
    """What a live migration does to the bond, but for the moving."""
    with trial.step('the server may leave'):
        trial.is_ready()
    with trial.step('switch to the standby'):
        trial.machine.connect(True)
        trial.switches(primary=False)
        trial.is_whole(wires.STANDBY)
    with trial.step('unplug the primary'):
        trial.machine.unplug()
        trial.is_whole(wires.STANDBY, slaves=1)
    with trial.step('the standby carries traffic'):
        trial.reaches(_bond(trial))
    with trial.step('the primary is a slave again'):
        trial.machine.plug()
        trial.joins(by_us)
    with trial.step('switch back to the primary'):
        trial.switches(primary=True)
        trial.machine.connect(False)
        trial.is_whole()
        trial.reaches(_bond(trial))


def _enslave(trial: trials.Trial) -> None:
    """What a compute host does where the guest's manager does nothing."""
    with trial.step('enslave it where its manager does not'):
        with trial.without_daemons():
            trial.leaves()
            trial.enslaves()
        trial.switches(primary=True)
        trial.is_whole()
        trial.reaches(_bond(trial))


def _manage(trial: trials.Trial) -> None:
    with trial.step('the network without a bond'):
        trial.settles(lambda: inside.without_bond(trial.nics()))
    with trial.step('manage makes the bond'):
        trial.settles(lambda: list(_keep(trial).problems))
        trial.is_whole()
        trial.note(f'NICs were put into it {trial.enslaved()} times')


def _keep(trial: trials.Trial) -> management.Outcome:
    found = _management(trial).keep(wires.PRIMARY, wires.STANDBY, wires.MTU)
    if found.problems:
        trial.note(' '.join(found.problems))
    return found


def _keep_again(trial: trials.Trial) -> None:
    with trial.step('manage again changes nothing'):
        before = _configuration(trial)
        asked = trial.machine.channel.asked
        asked.clear()
        found = _keep(trial)
        if found.problems or 'guest-file-write' in asked:
            raise shell.Failed(f'{found}, {asked}')
        if before != _configuration(trial):
            raise shell.Failed('files were changed')
        trial.is_whole()


def _undo(trial: trials.Trial) -> None:
    with trial.step('undo, and the network works'):
        before = _configuration(trial)
        found = _management(trial).undo(wires.PRIMARY, wires.STANDBY)
        if found.problems:
            raise shell.Failed(' '.join(found.problems))
        left = {
            line for line in before.splitlines() if contract.PREFIX not in line
        }
        if left != set(_configuration(trial).splitlines()):
            raise shell.Failed('it did not delete just the files of ours')
        trial.settles(lambda: inside.without_bond(trial.nics()))
        nic = inside.hardware(trial.nics(), wires.PRIMARY)
        trial.reaches(nic.name if nic else 'nothing')


def _read_only(trial: trials.Trial) -> None:
    """An agent that runs no programs tells of the bond all the same."""
    with trial.step('an agent that runs no programs'):
        agent = trial.agent()
        agent.write('/etc/qemu/qemu-ga.conf', READ_ONLY)
        agent.run(
            ('systemd-run', '--on-active=3', 'systemctl', 'restart',
             'qemu-guest-agent'),
        )  # fmt: skip
        trial.settles(
            lambda: (
                []
                if trial.agent().degree() is agents.Degree.READ_ONLY
                else ['the agent still does everything']
            )
        )
        trial.is_ready()
        trial.machine.connect(True)
        trial.switches(primary=False)
        found = bonds.observe(trial.agent()) or ()
        if [bond.active for bond in found] == [None]:
            raise errors.GuestError('it does not tell the active slave')
        refused = _keep(trial)
        if refused.wrote or 'allow guest-exec' not in str(refused.problems):
            raise shell.Failed(str(refused))
        trial.note('look and switch work, manage is refused')


def _management(trial: trials.Trial) -> management.Management:
    return management.Management(trial.agent(), vendor_data.NETWORKS)


def _configuration(trial: trials.Trial) -> str:
    """Return all files of network managers with what identifies them."""
    ended = trial.agent().run(
        ('find', *FOLDERS, '-type', 'f', '-printf', '%p %i %m ', '-exec',
         'sha256sum', '{}', ';')
    )  # fmt: skip
    return '\n'.join(sorted(ended.output.decode().splitlines()))


def _bond(trial: trials.Trial) -> str:
    return next(nic.name for nic in trial.nics() if nic.kind == 'bond')
