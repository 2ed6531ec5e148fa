# SPDX-License-Identifier: Apache-2.0
"""Tests on Nova's own services, with native threads as nova-compute runs.

None of them lasts for ever.

Nova's package chooses between eventlet and threads when it is imported, and
that must come before anything that imports eventlet.
"""

import os

os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', 'True')

import nova.tests.functional  # noqa: E402, F401

from nova_pt_migrate.tests import limit  # noqa: E402

limit.impose()
