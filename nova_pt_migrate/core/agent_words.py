# SPDX-License-Identifier: Apache-2.0
"""What the error means that a guest's agent answers a command with."""

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text

ABSENT = 'No such file or directory'
"""What it says of a path that is not there (strerror of ENOENT)."""


def refusal(said: str) -> errors.GuestError:
    """Return the error that stands for one of the agent's.

    What comes last names the cause: the words of the system (seen with
    qemu-ga 7.2). What is before it is known to whoever asked.

    :param said: the agent's words; those of the system among them are in the
        guest's language
    """
    words = text.shown_end(said.rpartition(': ')[2])
    if ABSENT in said:
        return errors.NoSuchFile(words)
    return errors.Denied(words)
