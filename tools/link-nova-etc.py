#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Link Nova's paste files to where its test fixtures look for them.

Run by the Python of the environment that the functional tests run in. Nova
installs the files below the environment's etc/; the fixtures look for them
beside the package.
"""

import pathlib
import sys
import sysconfig


def main() -> int:
    """Link, unless it was done before."""
    link = pathlib.Path(sysconfig.get_path('purelib')) / 'etc/nova'
    installed = pathlib.Path(sys.prefix) / 'etc/nova'
    if not installed.is_dir():
        print(f'{installed}: no such folder; install nova into {sys.prefix}')
        return 1
    if not link.is_symlink():
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(installed)
    return 0


if __name__ == '__main__':
    sys.exit(main())
