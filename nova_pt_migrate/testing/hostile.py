# SPDX-License-Identifier: Apache-2.0
"""Words that a guest may say to do harm, or by a fault of its own.

They are words always: what the agent answers is taken apart by
``guest.replies``, which refuses what is of another type.
"""

WORDS = (
    '',
    '../../etc/shadow',
    '--output=/etc/shadow',
    '; reboot',
    '$(reboot)',
    '`reboot`',
    '| reboot',
    'a" && reboot "b',
    "o'clock",
    '*?[a-z]',
    '%s%n',
    '{bond.name}',
    '{0.__class__}',
    'two\nlines',
    'return\r',
    'nothing\x00more',
    'clear\x1b[2J',
    'turned\u202egnihtyna',
    '\ufeffmark',
    'half\ud800',
    '\N{FULLWIDTH LATIN SMALL LETTER E}ns5',
    '\N{SUPERSCRIPT TWO}',
    '--5',
    '9' * 5_000,
    'x' * 60_000,
    '(' * 5_000,
)
"""None is a name that Linux gives to an interface."""
