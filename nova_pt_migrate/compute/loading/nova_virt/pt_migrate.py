# SPDX-License-Identifier: Apache-2.0
"""What ``compute_driver = pt_migrate.PassthroughLibvirtDriver`` imports."""

from nova_pt_migrate.compute.loading import driver_class

__getattr__ = driver_class.driver_class
