# SPDX-License-Identifier: Apache-2.0
"""From nothing to a report: python3 -m lab demo.

Brings the lab up where it is not, then does what the short scenario does.
The lab stays up, for a look around or the next run.
"""

import argparse
import collections.abc

from lab import settings
from lab import stages
from lab import teardown
from lab.scenarios import command
from lab.scenarios import short

AFTER = """
The lab is still up. To look around, and to end it:

    python3 -m lab openstack server list
    python3 -m lab ssh cmp1
    python3 -m lab down            (--wipe also deletes its state)
"""


def main(
    setup: settings.Settings,
    options: argparse.Namespace,
    every: collections.abc.Sequence[stages.Stage],
) -> int:
    """Run the demo; the exit status is the verdict's.

    :param every: the stages that bring the lab up
    """
    stages.run(every, setup)
    folder = command.report_folder(setup, 'demo')
    status = short.run(setup, folder, options.rate, options.keep)
    if options.down:
        teardown.down(setup, wipe=False)
    else:
        print(AFTER)
    return status


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the demo to its command."""
    parser.add_argument(
        '--rate',
        type=rate,
        default=20,
        help='pings a second, 1 to 100 (default 20)',
    )
    parser.add_argument(
        '--keep', action='store_true', help='do not delete the server'
    )
    parser.add_argument(
        '--down', action='store_true', help='end the lab afterwards'
    )


def rate(text: str) -> int:
    """Read the rate of pings."""
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(
            f'{text} is not a whole number from 1 to 100'
        )
    return int(text)
