# SPDX-License-Identifier: Apache-2.0
"""Collect the facts of the verdict from the cloud and both hosts."""

import dataclasses
import json
import typing

from lab import settings
from lab import shell
from lab.cloud import identity
from lab.hosts import machine
from lab.judge import phases
from lab.judge import record
from lab.judge import verdict
from lab.observe import clock
from lab.observe import parsing
from lab.observe import records

LOG = '/var/log/nova/nova-compute.log'


@dataclasses.dataclass(frozen=True)
class Server:
    """A server of the demo."""

    uuid: str
    address: str
    macs: tuple[str, ...]


def cloud(setup: settings.Settings, *arguments: str) -> dict[str, typing.Any]:
    """Ask the cloud, with the clients of the tree."""
    argv = identity.client(
        setup, 'python', '-m', 'lab.cloud.client', *arguments
    )
    answer: dict[str, typing.Any] = json.loads(shell.run(argv, timeout=600))
    return answer


def collect(
    setup: settings.Settings, server: Server, answering: bool
) -> tuple[verdict.Facts, dict[str, typing.Any]]:
    """Look everywhere; give the facts and what the cloud said besides."""
    seen = cloud(setup, 'show', server.uuid)
    uuids = [migration['uuid'] for migration in seen['migrations']]
    held = records.observe(setup, server.uuid, uuids)
    hosts = {host.name: observe(setup, host, server) for host in setup.hosts}
    facts = verdict.Facts(
        status=seen['status'],
        host=seen['host'],
        task_state=seen['task_state'],
        migration_status=last(seen),
        hosts=hosts,
        devices=held.devices,
        bindings=held.bindings,
        allocations=held.allocations,
        macs=server.macs,
        answering=answering,
    )
    return facts, seen


def last(seen: dict[str, typing.Any]) -> str:
    """Return the state of the last migration that the cloud told of."""
    found = max(
        seen['migrations'],
        key=lambda migration: migration['created'],
        default={'status': 'none'},
    )
    return str(found['status'])


def observe(
    setup: settings.Settings, host: settings.Host, server: Server
) -> verdict.HostFacts:
    """See what one host has of the server."""
    script = parsing.script(server.uuid)
    printed = machine.ssh(setup, host, script, timeout=120)
    return parsing.host(host.name, printed)


def read_phases(
    setup: settings.Settings, server: Server, start: float, end: float
) -> tuple[record.Phase, ...]:
    """Give the phases between two times from the logs of all hosts."""
    marks: list[phases.Mark] = []
    for host in setup.hosts:
        lines = machine.ssh(
            setup, host, f'grep -a pt_migrate {LOG} || true', timeout=60
        )
        marks += phases.read(
            lines.splitlines(), host.name, server.uuid,
            clock.measure(setup, host).seconds,
        )  # fmt: skip
    return phases.pair(marks, start, end)
