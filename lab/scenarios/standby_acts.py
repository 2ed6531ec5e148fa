# SPDX-License-Identifier: Apache-2.0
"""What the trials of standbys do with a server."""

import collections.abc
import contextlib
import time

from lab import shell
from lab.judge import record
from lab.network import dhcp
from lab.network import namespace
from lab.observe import facts
from lab.observe import guest_agent
from lab.observe import neighbour
from lab.observe import wire
from lab.scenarios import fault_cases
from lab.scenarios import fault_run
from lab.scenarios import journey

FORGED = '52:54:00:0f:00:01'
ELSEWHERE = '10.99.0'
HOLD = 12.0  # seconds to watch while one NIC carries
MARGIN = 0.5  # seconds by which two clocks may differ, and a frame be late
SECOND = 'probe-second'

LINK = "$(ip -o addr | sed -n 's|^[0-9]*: *\\([^ ]*\\) .* {}/.*|\\1|p')"
"""The guest's link of an address."""
FORGE = """
ip link add link {link} name forged address {mac} type macvlan
ip addr add {net}.2/24 dev forged
ip link set forged up
arp -i forged -s {net}.1 {gateway}
ping -i 0.2 {net}.1 > /dev/null 2>&1 &
arping -b -I forged {net}.3 > /dev/null 2>&1 &
sleep 2
"""


def move(case: fault_run.Case) -> None:
    """Migrate, and wait until the devices are plugged."""
    case.start()
    case.reached(case.destination, 'plug', 'end')


@contextlib.contextmanager
def held(case: fault_run.Case) -> collections.abc.Iterator[None]:
    """Migrate, and hold the server on its standbys on the source."""
    case.start()
    case.copy_slowly()
    try:
        yield
    finally:
        case.virsh(
            case.source, f'migrate-setspeed --bandwidth {fault_cases.FAST}'
        )
    case.reached(case.destination, 'plug', 'end')


def carried(case: fault_run.Case, began: float) -> tuple[float, float]:
    """Return from when until when only the standbys carried the traffic.

    :raises shell.Failed: the logs do not tell
    """
    phases = facts.read_phases(case.setup, case.server, began, time.time() + 5)
    gone = [phase.end for phase in phases if phase.name == 'unplug']
    back = [phase.start for phase in phases if phase.name == 'plug']
    if not gone or not back:
        raise shell.Failed(
            f'server {case.server.uuid}: no log tells when only its standby '
            f'carried the traffic'
        )
    return max(gone) + MARGIN, min(back) - MARGIN


def guest(case: fault_run.Case) -> guest_agent.GuestAgent:
    """Return the agent of the guest on the source."""
    return guest_agent.GuestAgent(case.setup, case.source, case.server.uuid)


def link(case: fault_run.Case) -> str:
    """Return words of a shell for the guest's link of its first address."""
    return LINK.format(case.server.address.replace('.', '\\.'))


def forges(guarded: bool) -> fault_run.Inflict:
    """Return the trial of a guest that invents itself an address.

    :param guarded: frames from it must not come through the standby
    """
    return lambda case: _forge(case, guarded)


def _forge(case: fault_run.Case, guarded: bool) -> None:
    own, setup = case.server.macs[0], case.setup
    gateway = shell.run(
        shell.in_netns(setup, ['cat', '/sys/class/net/br-data/address']),
        timeout=30,
    ).strip()
    script = FORGE.format(
        link=link(case), mac=FORGED, net=ELSEWHERE, gateway=gateway
    )
    began = time.time()
    senders = (own, FORGED)
    with (
        wire.watching(setup, case.way.folder, senders) as seen,
        wire.beside(setup, case.source, case.server.address, senders, seen),
    ):
        guest(case).run(script)
        forging = time.time()
        time.sleep(HOLD)
        asked = time.time()
        with held(case):
            time.sleep(HOLD)
    start, end = carried(case, began)
    forged = seen.between(start, end, FORGED)
    true = seen.between(start, end, own)
    before = seen.between(forging, asked, FORGED)
    case.check(
        'forged frames are dropped by the standby' if guarded
        else 'forged frames are let through by the standby',
        bool(forged) != guarded,
        f'{wire.counted(forged)} in {end - start:.0f} s; by the device in '
        f'{asked - forging:.0f} s before: {wire.counted(before)}',
    )  # fmt: skip
    places = {frame.place for frame in true}
    case.check(
        'true frames come through the standby, outside and beside',
        len(places) > 1 and wire.BESIDE in places,
        wire.counted(true),
    )


def renews(case: fault_run.Case) -> None:
    """The guest renews its lease while the standby carries."""
    own, address = case.server.macs[0], case.server.address
    here = guest(case)
    began = time.time()
    with dhcp.serving(case.setup, case.way.folder, own, address) as server:
        here.run(dhcp.CLIENT.format(link=link(case)))
        case.way.wait_for('the first lease', lambda: server.acks() > 0, 60)
        with held(case):
            had, asked = server.acks(), time.time()
            here.run(dhcp.RENEW)
            case.way.wait_for('the renewal', lambda: server.acks() > had, 60)
            acked = time.time()
    start, end = carried(case, began)
    case.check(
        'a lease was renewed while only the standby carried',
        start < asked and acked < end,
        f'asked {asked - start:.1f} s after the unplug, acknowledged '
        f'{acked - asked:.1f} s later and {end - acked:.1f} s before the '
        f'plug; {server.last()}',
    )
    there = guest_agent.GuestAgent(
        case.setup, case.destination, case.server.uuid
    )
    told = there.run(dhcp.TOLD).split('\n')
    words = [line.split() for line in told if line]
    case.check(
        'the guest has kept its address',
        ['renew', address] in words
        and {word[1] for word in words} == {address},
        ', '.join(' '.join(word) for word in words),
    )


def reboots(case: fault_run.Case) -> None:
    """The guest reboots by itself, and is migrated when it answers."""
    guest(case).begin('reboot -f')
    way = case.way
    way.wait_for('the silence', lambda: not way.answering(), 120)
    way.wait_for('an answer', way.answering, journey.BOOT, 3)
    journey.home(way)
    move(case)


def moves_both(case: fault_run.Case) -> None:
    """A server with two pairs, each in a net of its own."""
    number = case.server.address.rpartition('.')[2]
    other = f'{namespace.NETS[1]}.{number}'
    path = case.way.folder / 'second.txt'
    argv = ['sh', '-c', f'exec ping -DOn -i 0.1 {other} > {path}']
    shell.spawn(case.setup, SECOND, shell.inside(case.setup, argv))
    try:
        move(case)
        case.way.wait_for(
            'the activity of both VFs', lambda: _active(case), journey.SETTLE
        )
        time.sleep(HOLD / 2)
    finally:
        shell.stop(case.setup, SECOND)
    samples = neighbour.read(path.read_text().splitlines())
    lost = sum(sample.delay is None for sample in samples)
    case.check(
        'the second link answers before and after',
        all(_answered(part) for part in (samples[:-1][:5], samples[:-1][-5:])),
        f'{lost} of {len(samples)} pings lost',
    )


def _answered(samples: tuple[record.Sample, ...]) -> bool:
    return any(sample.delay for sample in samples)


def _active(case: fault_run.Case) -> bool:
    found = facts.observe(case.setup, case.destination, case.server)
    active = {link.mac for link in found.links if link.active}
    return active == set(case.server.macs)


def is_tagged(case: fault_run.Case) -> None:
    """What the standby sends is in the network's VLAN."""
    _sends(case, namespace.DATA, namespace.VLAN)


def sends_by(nic: str) -> fault_run.Inflict:
    """Return the trial of a standby that sends by one NIC of the hosts."""
    return lambda case: _sends(case, nic, None)


def _sends(case: fault_run.Case, nic: str, vlan: int | None) -> None:
    own, began = case.server.macs[0], time.time()
    with (
        wire.watching(case.setup, case.way.folder, (own,)) as seen,
        held(case),
    ):
        time.sleep(HOLD / 2)
    start, end = carried(case, began)
    frames = seen.between(start, end, own)
    taps = {namespace.tap(nic, host) for host in case.setup.hosts}
    where = 'untagged' if vlan is None else f'with VLAN {vlan}'
    case.check(
        f'the standby sends by {", ".join(sorted(taps))}, {where}',
        bool(frames)
        and {frame.place for frame in frames} <= taps
        and {frame.vlan for frame in frames} == {vlan},
        wire.counted(frames),
    )
