# SPDX-License-Identifier: Apache-2.0
"""Pairs as a pairing is shown them: sound ones, broken ones, and lies."""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import ipaddress
import itertools
from typing import Any

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import two_ports
from nova_pt_migrate.testing import hostile

PORT = 'the-port'
STANDBY_PORT = 'the-standby'
MAC = 'fa:16:3e:00:00:01'
STANDBY_MAC = 'fa:16:3e:00:00:02'
"""Of the standby's port, where it is one."""
DEVICE = 'ens5'
STANDBY = 'ens6'
"""Names in the guest."""
OWN = pairs.StandbyKind.OWN
SECOND = pairs.StandbyKind.PORT
NONE = pairs.StandbyKind.NONE
MANY = 32
"""Bonds, and slaves of each, that the guest's view may have."""


def pair(kind: pairs.StandbyKind, **more: Any) -> pairs.Pair:
    """Return a pair of a VF.

    :param more: members that are to be otherwise
    """
    macs = {OWN: pairs.twin(MAC), SECOND: STANDBY_MAC}
    plain = pairs.Pair(
        port=PORT,
        device='0000:81:10.1',
        mac=MAC,
        whole_function=False,
        kind=kind,
        standby_mac=macs.get(kind),
        standby_port=STANDBY_PORT if kind is SECOND else None,
    )
    return dataclasses.replace(plain, **more)


def bond(of: pairs.Pair, **more: Any) -> pairs.Bond:
    """Return a bond of a pair that is as it should be, the device active."""
    plain = pairs.Bond(
        name='bond0',
        mode='active-backup',
        active=DEVICE,
        slaves=(
            pairs.Slave(DEVICE, of.mac, True),
            pairs.Slave(STANDBY, of.standby_mac, True),
        ),
        fail_over_mac='active' if of.kind is SECOND else 'none',
    )
    return dataclasses.replace(plain, **more)


def guest(*bonds: pairs.Bond) -> pairs.GuestView:
    """Return what a guest tells that has these bonds."""
    return pairs.GuestView(
        {slave.name: slave.mac for each in bonds for slave in each.slaves},
        bonds,
    )


def view(of: pairs.Pair, **more: Any) -> pairs.View:
    """Return a pair that is well, on a machine that can have every pairing.

    Its guest has a bond of it, where it has two NICs that could be told
    apart; of a pair over two ports Neutron says nothing against it.

    :param more: members that are to be otherwise
    """
    apart = of.kind is not NONE and of.mac != of.standby_mac
    plain = pairs.View(
        of,
        pcie=True,
        virtio=True,
        standby_there=of.kind is not NONE,
        guest=guest(bond(of)) if apart else guest(),
        ports=ports() if of.kind is SECOND else None,
    )
    return dataclasses.replace(plain, **more)


def address(ip: str, mac: str) -> two_ports.Pair:
    """Return an address, or a network of them, of a port."""
    return two_ports.Pair(ipaddress.ip_network(ip), mac)


def ports(
    primary: dict[str, Any] | None = None,
    standby: dict[str, Any] | None = None,
    **more: Any,
) -> two_ports.TwoPorts:
    """Return what Neutron says of two ports that may be a pair.

    :param primary: members of the pass-through port that are to be otherwise
    :param standby: members of the standby's port that are to be otherwise
    :param more: members of the whole that are to be otherwise
    """
    common: dict[str, Any] = {'up': True, 'secured': True, 'groups': ('web',)}
    first = two_ports.Port(
        id=PORT,
        mac=MAC,
        fixed=(address('192.0.2.1', MAC),),
        allowed=(),
        filtered=False,
        **common,
    )
    second = two_ports.Port(
        id=STANDBY_PORT,
        mac=STANDBY_MAC,
        fixed=(address('192.0.2.2', STANDBY_MAC),),
        allowed=(address('192.0.2.1', STANDBY_MAC),),
        filtered=True,
        **common,
    )
    plain = two_ports.TwoPorts(
        server='the-server',
        network='the-network',
        primary=dataclasses.replace(first, **(primary or {})),
        standby=dataclasses.replace(second, **(standby or {})),
        router=None,
        all_passes=False,
    )
    return dataclasses.replace(plain, **more)


def every(of_a_vf: Iterable[pairs.Pair]) -> Iterator[pairs.View]:
    """Yield pairs in all states that there may be, each time the same ones.

    :param of_a_vf: pairs; their devices may be PFs as well
    """
    flags = (False, True)
    for plain, whole, on_own_pf in itertools.product(of_a_vf, flags, flags):
        of = dataclasses.replace(
            plain, whole_function=whole, on_own_pf=on_own_pf
        )
        seen = [
            pairs.View(of, True, True, there, told)
            for there in flags
            for told in _told(of)
        ]
        for state in (*seen, *(view(of, ports=n) for n in _said(of.kind))):
            yield state
            yield dataclasses.replace(state, pcie=False)
            yield dataclasses.replace(state, virtio=False)
            yield dataclasses.replace(state, earlier=True)


def _told(of: pairs.Pair) -> Iterator[pairs.GuestView | None]:
    """Yield what an honest guest may tell."""
    yield None
    yield pairs.GuestView({DEVICE: of.mac}, None)
    yield guest()
    sound = bond(of)
    yield guest(sound)
    yield guest(dataclasses.replace(sound, mode='balance-rr', active=None))
    yield guest(dataclasses.replace(sound, fail_over_mac='follow'))
    for slaves in (
        sound.slaves[:1],
        sound.slaves[1:],
        (sound.slaves[0], dataclasses.replace(sound.slaves[1], up=False)),
        (pairs.Slave('ens7', None, True),),
        (),
    ):
        yield guest(dataclasses.replace(sound, slaves=slaves))


def _said(kind: pairs.StandbyKind) -> Iterator[two_ports.TwoPorts]:
    """Yield what Neutron may say."""
    if kind is SECOND:
        yield ports()
        yield ports(
            standby={'up': False, 'allowed': (), 'groups': ()},
            router=two_ports.Router.OVN,
        )
        yield ports({'secured': False, 'groups': ()})


def lies(seen: pairs.View) -> Iterator[tuple[str, pairs.View]]:
    """Yield a pair as guests show it that lie, with the word that each uses.

    One word at each place where a guest says one; then all the bonds that a
    view can have, with the pair in each of them.
    """
    sound = bond(seen.pair)
    for word in hostile.WORDS:
        for told in (
            dataclasses.replace(sound, name=word),
            dataclasses.replace(sound, mode=word),
            dataclasses.replace(sound, active=word),
            dataclasses.replace(sound, fail_over_mac=word),
            *(
                dataclasses.replace(sound, slaves=slaves)
                for slaves in _named(sound.slaves, word)
            ),
        ):
            yield word, dataclasses.replace(seen, guest=guest(told))
        worst = pairs.Bond(
            word, word, word, _named(sound.slaves, word)[-1], word
        )
        yield word, dataclasses.replace(seen, guest=guest(worst))
    crowd = tuple(
        pairs.Bond(
            f'bond{number}',
            'balance-rr',
            None,
            tuple(
                pairs.Slave(f'ens{n}', slave.mac, False)
                for n, slave in zip(
                    range(MANY), itertools.cycle(sound.slaves), strict=False
                )
            ),
        )
        for number in range(MANY)
    )
    yield '', dataclasses.replace(seen, guest=guest(*crowd))


def _named(
    slaves: tuple[pairs.Slave, ...], word: str
) -> list[tuple[pairs.Slave, ...]]:
    """Return the slaves with one of them so named, down, and with both."""
    first, second = (
        dataclasses.replace(slave, name=word, up=False) for slave in slaves
    )
    return [(first, slaves[1]), (slaves[0], second), (first, second)]
