# SPDX-License-Identifier: Apache-2.0
"""The link of a device goes away and comes back, without a migration.

A bond that keeps what it has taken (primary_reselect=failure, as those are
that this driver makes) must not be left on a standby that leads nowhere.

The PF is set down: igbvf sees that. It does not see that the emulated adapter
has lost its link, since QEMU's igb tells its virtual functions nothing.
"""

import time

from lab import shell
from lab.hosts import config
from lab.observe import facts
from lab.scenarios import fault_run
from lab.scenarios import journey
from lab.scenarios import standby_acts

KEEP = """
for file in /sys/class/net/*/bonding/primary_reselect; do
    test ! -e "$file" || echo failure > "$file"
done
"""
CARRIER = """
for driver in /sys/class/net/*/device/driver; do
    case $(readlink "$driver") in
        */igbvf) cat "${driver%/device/driver}/carrier" ;;
    esac
done
"""
BOOTED = 'read -r up idle < /proc/uptime; echo "$up"'
SEEN = 30.0  # seconds for the guest to see that the link has gone
HOLD = 3.0  # seconds without one: more than a bond or a driver looks after
BACK = 30.0  # seconds after which it must be heard again
AGAIN = 240.0  # seconds for a reboot


def survives(boots: bool) -> fault_run.Inflict:
    """Return the trial of a server that must be on its device again.

    :param boots: the guest reboots meanwhile
    """
    return lambda case: _survive(case, boots)


def _survive(case: fault_run.Case, boots: bool) -> None:
    guest = standby_acts.guest(case)
    guest.run(KEEP)
    _set_function(case, 'down')
    try:
        case.way.wait_for(
            'the end of the link',
            lambda: '1' not in guest.run(CARRIER).split(),
            SEEN,
        )
        if boots:
            _reboot(case)
            guest.run(KEEP)
        else:
            time.sleep(HOLD)
    finally:
        _set_function(case, 'up')
    given = time.monotonic()
    try:
        case.way.wait_for('an answer', case.way.answering, BACK)
    except shell.Failed as failure:
        case.check('it is heard again', False, str(failure))
    else:
        seconds = time.monotonic() - given
        case.check('it is heard again', True, f'after {seconds:.1f} s')
    links = facts.observe(case.setup, case.source, case.server).links
    active = [f'{link.driver} {link.mac}' for link in links if link.active]
    case.check(
        'it sends by its device',
        any(
            link.active and link.driver == 'igbvf' and link.mac == mac
            for link in links
            for mac in case.server.macs
        ),
        ', '.join(active) or 'by none',
    )
    journey.home(case.way)
    standby_acts.move(case)


def _set_function(case: fault_run.Case, state: str) -> None:
    case.on(case.source, f'ip link set {config.PHYSICAL_FUNCTION} {state}')


def _reboot(case: fault_run.Case) -> None:
    guest = standby_acts.guest(case)
    before = float(guest.run(BOOTED))
    guest.begin('reboot -f')

    def again() -> bool:
        try:
            return float(guest.run(BOOTED)) < before
        except shell.Failed:
            return False

    case.way.wait_for('the reboot', again, AGAIN, 3)
