# SPDX-License-Identifier: Apache-2.0
"""What ``compute_driver = pt_migrate.PassthroughLibvirtDriver`` imports."""

from nova_pt_migrate.compute import loading

__getattr__ = loading.driver_class
