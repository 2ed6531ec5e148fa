# SPDX-License-Identifier: Apache-2.0
"""Which mirror of Debian the tree is made from: one that this machine uses.

apt is asked for it and not its files: it knows every form in which sources
are written, which of them are in use, and whose archive they are.
"""

from lab import settings
from lab import shell

# What it has fetched lists of. An archive's label is in its Release file:
# that of Debian's security updates, and that of anybody else, is another.
_ASK = (
    'apt-get', 'indextargets', '--format', '$(CODENAME) $(REPO_URI)',
    'Created-By: Packages', 'Component: main', 'Label: Debian',
)  # fmt: skip


def choose(setup: settings.Settings, suite: str) -> str | None:
    """Return the mirror that is set, or that this machine's apt uses.

    :param suite: one that apt has this suite from goes before one that it has
        another from, since a mirror has all that are supported
    :returns: None if there is no such, so that debootstrap takes its own
    :raises shell.Failed: apt cannot read its sources, and says why
    """
    if setup.mirror:
        return setup.mirror
    found = [line.split() for line in shell.run(_ASK, timeout=60).splitlines()]
    usable = [
        (name, uri.rstrip('/'))
        for name, uri in found
        # All that both debootstrap and apt within the tree can reach.
        if uri.startswith(('http://', 'https://'))
    ]
    fitting = [uri for name, uri in usable if name == suite]
    return next(iter([*fitting, *(uri for _, uri in usable)]), None)
