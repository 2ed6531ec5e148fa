# SPDX-License-Identifier: Apache-2.0
"""Tell of each phase that is entered and left: in the log, and to users."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
from typing import Protocol

from oslo_log import log as logging

from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)


class Phase:
    """A phase of one migration on one host.

    :ivar migration: UUID of the migration, where the host knows it
    :ivar devices: host PCI addresses
    :ivar text: what users are told when it begins, in words; mostly nothing
    :ivar momentary: nothing is waited for in it, so that users are told of
        its begin and its end at once
    :ivar result: a :class:`phase_names.Result`, or the name of an exception
    :ivar failures: what went wrong, by device; the key is empty where it is
        not about one
    """

    def __init__(
        self,
        name: phase_names.PhaseName,
        migration: str | None,
        devices: Iterable[str],
        text: str = '',
        momentary: bool = False,
    ) -> None:
        self.name = name
        self.momentary = momentary
        self.migration = migration
        self.devices = tuple(devices)
        self.text = text
        self.result: str = phase_names.Result.OK.value
        self.failures: dict[str, reasons.Failure] = {}

    def fail(
        self,
        result: phase_names.Result,
        failures: Mapping[str, reasons.Failure],
    ) -> None:
        """Say that it went wrong; it still ends where its owner ends it."""
        self.result = result.value
        self.failures.update(failures)


class Reporter(Protocol):
    """Takes down what users are told; raises nothing."""

    def begin(self, phase: Phase) -> None:
        """The phase has begun."""

    def end(self, phase: Phase) -> None:
        """The phase has ended, as its result and failures say."""

    def remark(self, failure: reasons.Failure) -> None:
        """Something was not as it should be, and the phase goes on."""


@contextlib.contextmanager
def phase(
    name: phase_names.PhaseName,
    server: str,
    migration: str | None,
    devices: Iterable[str] = (),
    reporter: Reporter | None = None,
    escaped: Callable[[], reasons.Reason] = lambda: reasons.Reason.HOST_ERROR,
    text: str = '',
    momentary: bool = False,
) -> Iterator[Phase]:
    """Surround a phase of a live migration, or of healing after it.

    :param server: UUID of the server
    :param escaped: gives the reason that an exception stands for which leaves
        the phase before its owner has said what is wrong
    :param text: what users are told when it begins, beside its name
    :param momentary: see :class:`Phase`
    """
    current = Phase(name, migration, devices, text, momentary)
    line = (
        f'server={server} migration={migration or "-"} '
        f'devices={",".join(current.devices) or "-"}'
    )
    LOG.info('pt_migrate phase=%s event=start %s', name, line)
    if reporter:
        reporter.begin(current)
    try:
        yield current
    except Exception as exc:
        if current.result == phase_names.Result.OK:
            current.result = type(exc).__name__
            current.failures[''] = reasons.Failure(escaped(), str(exc))
        raise
    except BaseException as exc:
        current.result = type(exc).__name__
        raise
    finally:
        LOG.info(
            'pt_migrate phase=%s event=end %s result=%s',
            name, line, current.result,
        )  # fmt: skip
        if reporter:
            reporter.end(current)
