# SPDX-License-Identifier: Apache-2.0
"""Whether a migration left the server whole on one host, and only there.

Pure: it judges facts that somebody collected (see lab.observe.facts). Nothing
is assumed about a fact that is missing; a check then fails and shows that.
"""

import collections.abc
import dataclasses

from lab.judge import record

# Drivers in the guest of NICs that are not passed through.
ORDINARY = ('virtio_net',)
# PCI device states of Nova in which a server holds the device.
HELD = ('claimed', 'allocated')


@dataclasses.dataclass(frozen=True)
class Link:
    """A network interface as the guest itself shows it."""

    name: str
    driver: str
    mac: str
    active: bool = False


@dataclasses.dataclass(frozen=True)
class HostFacts:
    """What one compute host shows of the server.

    live and persistent are the PCI addresses of the host's devices in the
    two domain XMLs; filters maps each VF's address to its admin MAC; standbys
    tells of each standby's netdev whether it is on; taken are the further MACs
    for which the PF takes frames; links are what the guest said last of its
    own.
    """

    name: str
    domain: bool
    live: tuple[str, ...] = ()
    persistent: tuple[str, ...] = ()
    filters: dict[str, str] = dataclasses.field(default_factory=dict)
    links: tuple[Link, ...] = ()
    standbys: dict[str, bool] = dataclasses.field(default_factory=dict)
    taken: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Device:
    """A row of Nova's pci_devices that names the server."""

    host: str
    address: str
    status: str


@dataclasses.dataclass(frozen=True)
class Binding:
    """A row of Neutron's port bindings for a port of the server."""

    port: str
    host: str
    status: str
    vnic_type: str
    pci_slot: str = ''


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything that the verdict looks at, for one server at one time."""

    status: str
    host: str
    task_state: str | None
    migration_status: str
    hosts: dict[str, HostFacts]
    devices: tuple[Device, ...]
    bindings: tuple[Binding, ...]
    allocations: tuple[str, ...]
    macs: tuple[str, ...]  # of the server's direct ports
    answering: bool


def place(facts: Facts) -> record.Place:
    """Say in short where the server and its devices are."""
    here = facts.hosts.get(facts.host)
    return record.Place(
        host=facts.host,
        live=tuple(f'{here.name} {a}' for a in here.live) if here else (),
        database=tuple(sorted(f'{d.host} {d.address}' for d in facts.devices)),
        guest=tuple(_said(link) for link in here.links) if here else (),
    )


def judge(
    facts: Facts,
    source: str,
    destination: str,
    migration: tuple[str, ...] = ('completed',),
    seen_by_guest: bool = True,
    degraded: bool = False,
) -> tuple[record.Check, ...]:
    """Give every check of a server that ought to be whole on a host.

    :param source: the host on which nothing may be left
    :param destination: where the server ought to be
    :param migration: the states in which its last migration may be
    :param seen_by_guest: the guest's kernel knows of its VFs
    :param degraded: its VFs ought to be missing, and all else to be there
    """
    here = facts.hosts[destination]
    return (
        *_server(facts, destination, migration),
        *(_missing(facts, here) if degraded else _devices(facts, here)),
        *(_in_guest(facts, here) if seen_by_guest and not degraded else ()),
        *(() if degraded else _silent(facts, here)),
        *_nothing_left(facts, facts.hosts[source], destination),
    )


def _server(
    facts: Facts, destination: str, migration: tuple[str, ...]
) -> collections.abc.Iterator[record.Check]:
    yield _check(
        f'the server is ACTIVE on {destination}',
        (facts.status, facts.host) == ('ACTIVE', destination),
        f'{facts.status} on {facts.host}',
    )
    yield _check(
        'no task is left',
        facts.task_state is None,
        facts.task_state or 'none',
    )
    yield _check(
        f'the migration is {" or ".join(migration)}',
        facts.migration_status in migration,
        facts.migration_status,
    )
    yield _check(
        'the guest answers',
        facts.answering,
        'an echo' if facts.answering else 'no echo',
    )


def _devices(
    facts: Facts, here: HostFacts
) -> collections.abc.Iterator[record.Check]:
    wanted = len(facts.macs)
    yield _check(
        'its VFs are in the live XML',
        here.domain and len(here.live) == wanted,
        _listed(here.live),
    )
    yield _check(
        'the persistent XML agrees',
        here.persistent == here.live,
        _listed(here.persistent),
    )
    held = tuple(sorted(d.address for d in facts.devices if _held(d, here)))
    yield _check(
        "Nova's database has the same VFs",
        bool(held) and held == here.live,
        _listed(held),
    )
    slots = tuple(sorted(b.pci_slot for b in facts.bindings if b.pci_slot))
    yield _check(
        'the port bindings name them',
        bool(slots) and slots == here.live,
        _listed(slots),
    )


def _missing(
    facts: Facts, here: HostFacts
) -> collections.abc.Iterator[record.Check]:
    yield _check(
        'no VF is in the live XML',
        here.domain and not here.live,
        _listed(here.live),
    )
    held = tuple(d for d in facts.devices if _held(d, here))
    yield _check(
        'its VFs stay its own',
        len(held) == len(facts.macs),
        _listed(device.address for device in held),
    )


def _in_guest(
    facts: Facts, here: HostFacts
) -> collections.abc.Iterator[record.Check]:
    primaries = [
        link
        for link in here.links
        if link.mac in facts.macs and link.driver not in ORDINARY
    ]
    yield _check(
        'the guest has them',
        {link.mac for link in primaries} == set(facts.macs),
        _listed(_said(link) for link in primaries),
    )
    yield _check(
        'a VF is the active link of the guest',
        any(link.active for link in primaries),
        _listed(link.name for link in here.links if link.active),
    )


def _silent(
    facts: Facts, here: HostFacts
) -> collections.abc.Iterator[record.Check]:
    loud = [name for name, on in here.standbys.items() if on]
    yield _check('its standbys are off', not loud, _listed(loud))
    taken = _taken(facts, here)
    yield _check(
        'nobody but the VF takes its frames', not taken, _listed(taken)
    )


def _nothing_left(
    facts: Facts, there: HostFacts, destination: str
) -> collections.abc.Iterator[record.Check]:
    source = there.name
    left = [d for d in facts.devices if d.host != destination]
    yield _check(
        f'no domain is left on {source}',
        not there.domain,
        'a domain' if there.domain else 'none',
    )
    yield _check(
        f'no VF is claimed on {source}',
        not left,
        _listed(f'{device.address} {device.status}' for device in left),
    )
    elsewhere = [b for b in facts.bindings if b.host != destination]
    yield _check(
        'the ports are bound there and nowhere else',
        bool(facts.bindings) and not elsewhere and _all_active(facts),
        _listed(f'{b.port} {b.host} {b.status}' for b in facts.bindings),
    )
    yield _check(
        'Placement counts the server there and nowhere else',
        set(facts.allocations) == {destination},
        _listed(facts.allocations),
    )
    standbys = [*there.standbys, *_taken(facts, there)]
    yield _check(
        f'nothing of its standbys is left on {source}',
        not standbys,
        _listed(standbys),
    )
    kept = [f'{a} {m}' for a, m in there.filters.items() if m in facts.macs]
    yield _check(
        f'no VF of {source} keeps a MAC of the server',
        bool(there.filters) and not kept,
        _listed(kept) if there.filters else 'no VF seen',
    )


def _taken(facts: Facts, host: HostFacts) -> list[str]:
    return [mac for mac in host.taken if mac in facts.macs]


def _held(device: Device, host: HostFacts) -> bool:
    return device.host == host.name and device.status in HELD


def _all_active(facts: Facts) -> bool:
    return all(binding.status == 'ACTIVE' for binding in facts.bindings)


def _said(link: Link) -> str:
    text = f'{link.name} {link.driver} {link.mac}'
    return text + ' active' if link.active else text


def _listed(things: collections.abc.Iterable[str]) -> str:
    return ', '.join(things) or 'none'


def _check(what: str, passed: bool, seen: str) -> record.Check:
    return record.Check(what=what, passed=passed, seen=seen)
