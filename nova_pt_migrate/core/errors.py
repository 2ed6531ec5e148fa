# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, grouped by what the reader does next.

::

    PtMigrateError
      CannotStart       the service must not start; correct the configuration
      Refused           nothing was changed; try another host or correct it
      NotSwitched       the standby does not carry; the guest was not asked
      NotUnplugged      some devices are still in the guest; bring it home
      Aborted           the user asked to stop before the guest moved
      NotOurTurn        somebody else has the server now; look again later
      HostError         one call to the host failed
        PlugFailed      the device did not get into the guest
          UnfitDevice   it is the device's own fault; another may get in
        PlugTimeout     the device may still get into the guest
      GuestError        the guest said nothing, or nothing that can be used
        NotActive       it was seen that it does not use the NIC it should
        Denied          its agent answers, and does not do what it is asked
        NoSuchFile      it has no file of that name
"""

from collections.abc import Mapping
from collections.abc import Sequence

from nova_pt_migrate.core import reasons


class PtMigrateError(Exception):
    """Root of all errors of this project."""


class CannotStart(PtMigrateError):
    """The service must not start with this configuration or host."""


class Refused(PtMigrateError):
    """A live migration was refused before anything was changed.

    :param reasons: one sentence each, all that were found
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(reasons)
        self.reasons = tuple(reasons)

    def __str__(self) -> str:
        return ' '.join(self.reasons)


class HostError(PtMigrateError):
    """One call to the host failed; the text says which and why."""


class PlugFailed(HostError):
    """The device is not in the guest."""


class UnfitDevice(PlugFailed):
    """The device is not in the guest; another one may well get in."""


class PlugTimeout(HostError):
    """The call has not returned: the device may still get into the guest."""


class GuestError(PtMigrateError):
    """The guest's agent does not answer, or not so that it can be used."""


class NotActive(GuestError):
    """The guest does not use the NIC that it should, as was seen."""


class Denied(GuestError):
    """The guest's agent answers, and does not do what it is asked.

    Its own configuration forbids it, or the guest does. It is as if the agent
    did not offer it.
    """


class NoSuchFile(GuestError):
    """The guest says that it has no file of that name."""


class NotSwitched(PtMigrateError):
    """A standby that is required does not carry the traffic.

    The devices are in the guest, and it was not asked for any.
    """


class NotUnplugged(PtMigrateError):
    """Devices are still in the live domain and may still leave it.

    :param failures: one for each device, by its host PCI address
    """

    def __init__(self, failures: Mapping[str, reasons.Failure]) -> None:
        super().__init__(failures)
        self.failures = dict(failures)

    def __str__(self) -> str:
        return '; '.join(
            f'device {address}: {reason}'
            for address, reason in sorted(self.failures.items())
        )


class Aborted(PtMigrateError):
    """The user aborted before libvirt was told to migrate."""


class NotOurTurn(PtMigrateError):
    """What nobody asked for must not begin, or must not go on.

    No further step was done on host or guest.
    """
