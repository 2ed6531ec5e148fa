# SPDX-License-Identifier: Apache-2.0
"""One guest that is tried out: what is done to it, and what must then be.

Each step waits for a state, and fails with what is wrong at its deadline.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import time

from lab import shell
from lab.guests import inside
from lab.guests import machine as machines
from lab.guests import wires
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.guest import nics
from nova_pt_migrate.pairing import bond as pairing

BOOT_SECONDS = 900.0
STATE_SECONDS = 240.0
ENSLAVED_SECONDS = 60.0
"""How long a manager has to take a NIC that was plugged; then we do it."""
SWITCHED_SECONDS = 15.0
READY_SECONDS = 60.0
"""How long a slave has to get its link; the bond waits for updelay as well."""
DAEMONS = ('NetworkManager.service', 'systemd-networkd.service')
"""What may put a NIC into a bond at any time; ifupdown has none."""
PAIR = pairs.Pair(
    port='00000000-0000-4000-8000-000000000001',
    device='0000:01:10.0',
    mac=wires.PRIMARY,
    whole_function=False,
    kind=pairs.StandbyKind.OWN,
    standby_mac=wires.STANDBY,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A step that is over.

    :ivar wrong: what was wrong; empty if it passed
    """

    name: str
    seconds: float
    wrong: str = ''
    note: str = ''


class Trial:
    """A guest that runs, with the steps that were taken so far.

    :ivar steps: those that are over
    """

    def __init__(
        self, machine: machines.Machine, say: Callable[[str], None] = print
    ) -> None:
        self.machine = machine
        self.steps: list[Step] = []
        self._say = say
        self._note = ''
        self._boot = ''

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note a step, and why it failed if it does.

        :raises shell.Failed: it has failed; the trial is over
        """
        begin = time.monotonic()
        self._note = wrong = ''
        try:
            yield
        except (errors.GuestError, shell.Failed) as exc:
            wrong = str(exc)
            raise shell.Failed(wrong) from exc
        finally:
            step = Step(name, time.monotonic() - begin, wrong, self._note)
            self.steps.append(step)
            said = step.wrong or step.note or 'ok'
            self._say(f'    {step.seconds:6.1f} s  {name}: {said}')

    def note(self, words: str) -> None:
        """Add a remark to the step that is under way."""
        self._note = words

    def agent(self) -> agents.Agent:
        """Return the guest's agent for one look."""
        return self.machine.agent()

    def nics(self) -> tuple[inside.Nic, ...]:
        """Return the links of the guest."""
        ended = self.agent().run(inside.COMMAND)
        return inside.nics(ended.output.decode(errors='replace'))

    def settles(
        self, wrong: Callable[[], list[str]], seconds: float = STATE_SECONDS
    ) -> None:
        """Wait until nothing is wrong any more.

        :raises shell.Failed: saying what is at the end
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = wrong()
            except errors.GuestError as exc:
                found = [str(exc)]
            if not found:
                return
            if time.monotonic() > deadline:
                raise shell.Failed('; '.join(found))
            time.sleep(1)

    def is_whole(self, active: str = wires.PRIMARY, slaves: int = 2) -> None:
        """Wait until the bond is as it should be."""
        self.settles(lambda: inside.with_bond(self.nics(), active, slaves))

    def is_joined(self, slaves: int = 2) -> None:
        """Wait until a link of net_failover is as it should be."""
        self.settles(lambda: inside.joined(self.nics(), slaves))

    def is_as_before(self) -> None:
        """Wait until the bond has MTU and metric that the NIC had."""

        def wrong() -> list[str]:
            printed = self.agent().run(inside.ROUTES).output.decode()
            return inside.as_before(self.nics(), printed)

        self.settles(wrong, READY_SECONDS)

    def reaches(self, link: str) -> None:
        """Wait until the gateway answers over a link."""
        argv = ('ping', '-c', '1', '-W', '5', '-I', link, wires.GATEWAY)

        def wrong() -> list[str]:
            ended = self.agent().run(argv)
            said = ended.output.decode(errors='replace').splitlines()
            return [] if ended.status == 0 else [' '.join(said[-2:])]

        self.settles(wrong)

    def boots(self) -> None:
        """Wait until the guest has booted, for the first time or again."""
        self._boot = machines.booted(self.machine, self._boot, BOOT_SECONDS)

    def reboots(self) -> None:
        """Reboot the guest by its own means."""
        # The agent may end, and begin anew, before it tells how that ended.
        with contextlib.suppress(errors.GuestError):
            self.agent().run(('systemctl', '--no-block', 'reboot'))
        self.boots()

    def view(self) -> pairs.View:
        """Look at the pair as a compute host does."""
        return pairs.View(
            pair=PAIR,
            pcie=True,
            virtio=True,
            standby_there=True,
            guest=bonds.view(self.agent(), joined=False),
            held=True,
        )

    def is_ready(self) -> None:
        """Wait until a compute host would let the server leave.

        :raises shell.Failed: saying why it would not
        """
        self.settles(
            lambda: list(pairing.BondPairing().not_ready(self.view())),
            READY_SECONDS,
        )

    def switches(self, primary: bool) -> None:
        """Switch the bond over as a compute host does, which tries again.

        :raises shell.Failed: the guest does not tell of both slaves, or does
            not switch
        """

        def wrong() -> list[str]:
            names = pairing.BondPairing().link(self.view(), primary)
            if names is None:
                raise shell.Failed('there is no such slave in the bond')
            bonds.activate(self.agent(), *names)
            return []

        self.settles(wrong, SWITCHED_SECONDS)

    def joins(self, by_us: bool) -> None:
        """See that the primary, plugged again, is a slave again.

        :param by_us: as soon as it is there, whatever its manager does
        """
        self.settles(self._lacks_primary)
        if not by_us:
            with contextlib.suppress(shell.Failed):
                self.settles(self._lacks_slave, ENSLAVED_SECONDS)
        if not self._lacks_slave():
            self.note('by its network manager')
            return
        self.note('by us')
        self.enslaves()

    def leaves(self) -> None:
        """Take the primary out of the bond by hand.

        :raises shell.Failed: the guest does not do so
        """
        names = pairing.BondPairing().link(self.view(), True)
        if names is None:
            raise shell.Failed('the primary is not in the bond')
        path = f'/sys/class/net/{names[0]}/bonding/slaves'
        self.agent().write(path, f'-{names[1]}')
        if not self._lacks_slave():
            raise shell.Failed('the primary is still in the bond')

    @contextlib.contextmanager
    def without_daemons(self) -> Iterator[None]:
        """Halt what else would act on NICs, until the context ends."""
        self._signal('STOP')
        try:
            yield
        finally:
            self._signal('CONT')

    def enslaves(self) -> None:
        """Put the primary into the bond as a compute host does."""
        names = pairing.BondPairing().link(self.view(), False)
        nic = nics.free(
            self.agent(), wires.PRIMARY, bonds.observe(self.agent()) or ()
        )
        if names is None or nic is None:
            raise shell.Failed('there is no bond, or no NIC for it')
        # Its manager may have done so meanwhile.
        with contextlib.suppress(errors.GuestError):
            bonds.enslave(self.agent(), names[0], nic)
        self.settles(self._lacks_slave)

    def enslaved(self) -> int:
        """Return how often a NIC was put into a bond in this boot."""
        return self.agent().run(('dmesg',)).output.count(b': Enslaving as')

    def _signal(self, name: str) -> None:
        # Daemons that are not there are passed over.
        self.agent().run(
            ('systemctl', 'kill', '--kill-whom=main', f'--signal={name}',
             *DAEMONS)
        )  # fmt: skip

    def _lacks_primary(self) -> list[str]:
        found = inside.hardware(self.nics(), wires.PRIMARY)
        return [] if found else ['the primary has not come back']

    def _lacks_slave(self) -> list[str]:
        there = pairing.BondPairing().link(self.view(), True)
        return [] if there else ['the primary is not in the bond']
