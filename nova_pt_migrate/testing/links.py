# SPDX-License-Identifier: Apache-2.0
"""The netdevs of compute hosts, as far as pairs have to do with them.

Stands in for :class:`host.links.HostLinks`; the contract suite of both is
:mod:`link_contract`.
"""

from collections.abc import Callable
import dataclasses
import threading
from typing import Self

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import steps
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import links


@dataclasses.dataclass
class Link:
    """A netdev of a standby, or of others.

    :ivar words: what is written down with it
    """

    new: links.NewLink
    up: bool = False
    words: str = ''

    @classmethod
    def of_others(cls, name: str, words: str = '') -> Self:
        """Return a netdev that others have made.

        The kernel keeps an alias of up to 255 bytes for whoever sets it
        (net/core/dev.c, dev_set_alias).
        """
        new = links.NewLink(
            name, 'fa:16:3e:ff:ff:ff', uplinks.Kind.BRIDGE, 'br-ext', None,
            None, False,
        )  # fmt: skip
        return cls(new, words=words)


class Links:
    """The netdevs of one host.

    :param function: netdev of the PF of each VF, by the VF's PCI address
    :param shared: what hangs on the PF: bridges, or netdevs below a macvtap
    :ivar links: the standbys, by name
    :ivar filters: netdev and MAC address of each filter entry
    :ivar addresses: MAC address of VFs that no guest has, by PCI address
    :ivar obstacles: what is in a device's way, by its PCI address
    :ivar unused: PCI addresses of devices whose guest has no driver for them
    :ivar steps: what was done, in order
    :ivar fault: called before each step and each making; may raise
    """

    def __init__(
        self,
        function: Callable[[str], str | None] = lambda _device: 'pf0',
        shared: frozenset[str] = frozenset({'br-ext'}),
    ) -> None:
        self._function = function
        self._shared = shared
        self._lock = threading.Lock()
        self.links: dict[str, Link] = {}
        self.filters: set[tuple[str, str]] = set()
        self.addresses: dict[str, str] = {}
        self.obstacles: dict[str, str] = {}
        self.unused: set[str] = set()
        self.steps: list[steps.LinkStep] = []
        self.fault: Callable[[object], None] = lambda _what: None

    def observe(
        self, standby: handover.Standby, device: str | None
    ) -> handover.Found:
        with self._lock:
            link = self.links.get(standby.link)
            return handover.Found(
                up=None if link is None else link.up,
                filtered=(standby.filter, standby.mac) in self.filters,
                stale=0 if self._has(device, standby.mac) else None,
            )

    def is_used(self, device: str) -> bool:
        return device not in self.unused

    def run(self, step: steps.LinkStep) -> None:
        self.fault(step)
        with self._lock:
            self.steps.append(step)
            match step:
                case steps.LinkUp(name) | steps.LinkDown(name):
                    if name not in self.links:
                        raise errors.HostError(f'{step}: no such device')
                    self.links[name].up = isinstance(step, steps.LinkUp)
                case steps.AddFilter(name, mac):
                    self.filters.add((name, mac))
                case steps.RemoveFilter(name, mac):
                    self.filters.discard((name, mac))
                case steps.ClearVf():
                    self.addresses.clear()

    def make(self, new: links.NewLink) -> None:
        self.fault(new)
        with self._lock:
            self.links.setdefault(new.name, Link(new, words=str(new.words)))

    def remove(self, name: str, kind: uplinks.Kind | None) -> None:
        self.fault(name)
        with self._lock:
            self.links.pop(name, None)

    def forget(self, name: str) -> None:
        self.fault(name)
        with self._lock:
            there = self.links.get(name)
            if there is not None:
                words = pairs.read_words(there.words)
                if words is None or not words.fits(name):
                    raise errors.HostError(
                        f'{name} is no standby of this driver'
                    )
                del self.links[name]
                self.filters = {
                    (link, mac)
                    for link, mac in self.filters
                    if mac != words.mac
                }

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.links if name.startswith(prefix))

    def written(self, name: str) -> str:
        return self.links[name].words if name in self.links else ''

    def physical_function(self, device: str) -> str | None:
        return self._function(device)

    def netdevs(self, device: str) -> list[str]:
        return []

    def obstacle(self, device: str) -> str | None:
        return self.obstacles.get(device)

    def lies_on(self, kind: uplinks.Kind, on: str, function: str) -> bool:
        return on in self._shared

    def way_out(self, kind: uplinks.Kind, on: str) -> str | None:
        return 'pf0' if on in self._shared else on

    def _has(self, device: str | None, mac: str) -> bool:
        return device is not None and self.addresses.get(device) == mac
