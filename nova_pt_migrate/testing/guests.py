# SPDX-License-Identifier: Apache-2.0
"""How a guest answers when it is asked to release a device.

``double.guest`` is one of these, or anything with the same ``asked``. A
device is named by its host PCI address (a device without one by its MAC
address or its target, as in :attr:`calls.Call.devices`).
"""

from collections.abc import Mapping
import dataclasses
from typing import Protocol


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the guest will do, and when.

    :ivar at: clock's seconds
    :ivar released: False where QEMU reports that the removal failed
    """

    at: float
    released: bool = True


@dataclasses.dataclass
class Request:
    """An unplug that a guest was asked for.

    :ivar at: when it was asked last
    :ivar answered: the guest noticed, and will act
    """

    at: float
    answered: bool = False


class Guest(Protocol):
    """A guest of the double."""

    def asked(self, device: str, now: float) -> Answer | None:
        """Answer a request; None if the guest does not notice it."""


class Together:
    """Releases all devices at the same time, each ``seconds`` after asked.

    A guest that is late is one with more seconds than the deadline.
    """

    def __init__(self, seconds: float = 0.02) -> None:
        self._seconds = seconds

    def asked(self, device: str, now: float) -> Answer | None:
        return Answer(now + self._seconds)


class OneByOne:
    """Releases one device after the other, ``seconds`` for each."""

    def __init__(self, seconds: float = 0.02) -> None:
        self._seconds = seconds
        self._busy_until = 0.0

    def asked(self, device: str, now: float) -> Answer | None:
        self._busy_until = max(self._busy_until, now) + self._seconds
        return Answer(self._busy_until)


class Never:
    """Takes no notice: hung, or without a driver for hot-plug."""

    def asked(self, device: str, now: float) -> Answer | None:
        return None


class Refuses:
    """Keeps each device and says so ``seconds`` after it is asked."""

    def __init__(self, seconds: float = 0.02) -> None:
        self._seconds = seconds

    def asked(self, device: str, now: float) -> Answer | None:
        return Answer(now + self._seconds, released=False)


class Deaf:
    """Loses the first requests for each device, as while it boots.

    :param requests: how many
    :param then: how it answers afterwards
    """

    def __init__(self, requests: int, then: Guest) -> None:
        self._requests = requests
        self._then = then
        self._heard: dict[str, int] = {}

    def asked(self, device: str, now: float) -> Answer | None:
        self._heard[device] = self._heard.get(device, 0) + 1
        if self._heard[device] <= self._requests:
            return None
        return self._then.asked(device, now)


class ByDevice:
    """Answers for some devices in another way than for the others."""

    def __init__(self, special: Mapping[str, Guest], others: Guest) -> None:
        self._special = special
        self._others = others

    def asked(self, device: str, now: float) -> Answer | None:
        return self._special.get(device, self._others).asked(device, now)
