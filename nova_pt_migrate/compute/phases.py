# SPDX-License-Identifier: Apache-2.0
"""One INFO line for each phase entered and left, for people and tools."""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib

from oslo_log import log as logging

LOG = logging.getLogger(__name__)


class Phase:
    """A phase of one migration on one host.

    :ivar result: ``ok``, or a word on what went wrong, set by the owner
    """

    def __init__(self) -> None:
        self.result = 'ok'


@contextlib.contextmanager
def phase(
    name: str, server: str, migration: str | None, devices: Iterable[str] = ()
) -> Iterator[Phase]:
    """Log the begin and the end of a phase.

    :param name: look, unplug, move or plug
    :param server: UUID of the server
    :param migration: UUID of the migration, where the host knows it
    :param devices: host PCI addresses
    """
    text = (
        f'server={server} migration={migration or "-"} '
        f'devices={",".join(devices) or "-"}'
    )
    LOG.info('pt_migrate phase=%s event=start %s', name, text)
    current = Phase()
    try:
        yield current
    except BaseException as exc:
        if current.result == 'ok':
            current.result = type(exc).__name__
        raise
    finally:
        LOG.info(
            'pt_migrate phase=%s event=end %s result=%s',
            name, text, current.result,
        )  # fmt: skip
