# SPDX-License-Identifier: Apache-2.0
"""Measurements on the libvirt double, without limits that can fail.

Nova's choice of threads or eventlet must be made before anything else of it
is imported, which this import does.
"""

import nova_pt_migrate.tests.functional  # noqa: F401
