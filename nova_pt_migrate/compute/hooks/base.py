# SPDX-License-Identifier: Apache-2.0
"""What all hooks have in common: Nova's driver, and one attribute of ours."""

from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.compute import services


class Hooks(libvirt_driver.LibvirtDriver):
    """Nova's driver, whose overridden methods reach what is ours by ``_pt``.

    :ivar _pt: set when Nova's constructor has ended
    """

    _pt: services.Services
