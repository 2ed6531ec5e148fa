# SPDX-License-Identifier: Apache-2.0
"""A made-up run of the demo: a server there and back, without a lab."""

import dataclasses
import math

from lab.judge import record
from lab.judge import verdict
from lab.judge import windows

MAC = 'fa:16:3e:00:00:02'
STANDBY = 'fa:16:3e:00:00:01'
ZERO = 1_800_000_000.0
RATE = 20
LINKS = (
    verdict.Link('eth0', 'virtio_net', STANDBY),
    verdict.Link('eth1', 'igbvf', MAC, active=True),
)


def samples(
    start: float, end: float, lost: tuple[tuple[float, float], ...]
) -> tuple[record.Sample, ...]:
    """Ping from start to end; nothing answers in the spans of loss."""
    return tuple(
        record.Sample(number, sent, _delay(sent - start, sent, lost))
        for number, sent in enumerate(
            start + slot / RATE for slot in range(int((end - start) * RATE))
        )
    )


def _delay(
    age: float, sent: float, lost: tuple[tuple[float, float], ...]
) -> float | None:
    if any(first <= sent < last for first, last in lost):
        return None
    slow = 0.4 if int(age * 4) % 61 == 0 else 0.0
    return 0.0018 + 0.0012 * abs(math.sin(age * 7)) + slow


def facts(host: str = 'cmp2', address: str = '0000:01:10.1') -> verdict.Facts:
    """A server that is whole on one host and nowhere else."""
    other = 'cmp1' if host == 'cmp2' else 'cmp2'
    return verdict.Facts(
        status='ACTIVE',
        host=host,
        task_state=None,
        migration_status='completed',
        hosts={
            host: verdict.HostFacts(
                host, True, (address,), (address,), {address: MAC}, LINKS
            ),
            other: verdict.HostFacts(
                other, False, filters={'0000:01:10.1': '00:00:00:00:00:00'}
            ),
        },
        devices=(verdict.Device(host, address, 'allocated'),),
        bindings=(
            verdict.Binding('port1', host, 'ACTIVE', 'normal'),
            verdict.Binding('port2', host, 'ACTIVE', 'direct', address),
        ),
        allocations=(host,),
        macs=(MAC,),
        answering=True,
    )


def move(
    name: str = 'There', source: str = 'cmp1', destination: str = 'cmp2'
) -> record.Move:
    """A migration of 58 seconds that loses pings in three phases."""
    zero = ZERO if name == 'There' else ZERO + 100
    spans = (
        (zero + 14.2, zero + 14.7),
        (zero + 38.0, zero + 39.6),
        (zero + 50.1, zero + 53.4),
    )
    pings = samples(zero - 5, zero + 63, spans)
    phases = tuple(
        record.Phase(phase, host, zero + start, zero + end, 'ok', devices)
        for phase, host, start, end, devices in (
            ('look', source, 12.0, 12.6, ()),
            ('unplug', source, 12.6, 15.4, ('0000:01:10.1',)),
            ('move', source, 15.4, 41.2, ()),
            ('plug', destination, 46.8, 54.3, ('0000:01:10.3',)),
        )
    )
    found = windows.assign(windows.find(pings), phases)
    before = facts(source, '0000:01:10.1')
    after = facts(destination, '0000:01:10.3')
    return record.Move(
        name=name,
        source=source,
        destination=destination,
        requested=zero,
        finished=zero + 58.2,
        before=verdict.place(before),
        after=verdict.place(after),
        phases=phases,
        windows=found,
        checks=verdict.judge(after, source, destination),
        load=(2.4, 3.1),
        settled=3.5,
        events=(
            record.Event(
                'live-migration',
                'compute__do_live_migration',
                source,
                '2027-01-15T08:00:03.000000',
                '2027-01-15T08:00:58.000000',
                'Success',
                '',
            ),
        ),
        samples=pings,
    )


def run() -> record.Run:
    """There and back."""
    return record.Run(
        title='A server with a VF, live-migrated there and back',
        started=ZERO,
        server='5b1c1a4e-0d3c-4f43-9b39-1d9a3c2f7a10',
        devices=1,
        rate=RATE,
        machine='compute hosts emulated (TCG) on 2 processors',
        moves=(move(), move('Back', 'cmp2', 'cmp1')),
        notes=('A note.',),
    )


def without_samples(value: record.Run) -> record.Run:
    """The run as its JSON figures keep it."""
    moves = tuple(dataclasses.replace(one, samples=()) for one in value.moves)
    return dataclasses.replace(value, moves=moves)
