# SPDX-License-Identifier: Apache-2.0
"""Give Nova the driver class, or stop the service with one sentence."""

import importlib
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute.startup import failure
from nova_pt_migrate.core import errors

LOG = logging.getLogger(__name__)

DRIVER = 'PassthroughLibvirtDriver'


def driver_class(name: str) -> Any:
    """Return the class that ``compute_driver = pt_migrate.<name>`` names.

    It is the ``__getattr__`` of module ``nova.virt.pt_migrate``.

    :raises SystemExit: after one CRITICAL line, if there is no such driver,
        it cannot be imported, this Nova cannot be extended, or it runs on
        eventlet
    """
    if name.startswith('__'):
        raise AttributeError(name)
    if name != DRIVER:
        failure.stop(
            f'[DEFAULT] compute_driver = pt_migrate.{name}: there is no such '
            f'driver; allowed is pt_migrate.{DRIVER}.'
        )
    try:
        # Other programs import this module, and nothing of Nova with it.
        private = importlib.import_module(
            'nova_pt_migrate.compute.loading.nova_interface'
        )
        volumes = importlib.import_module(
            'nova_pt_migrate.compute.startup.volume_credentials'
        )
        private.refuse_eventlet(DRIVER)
        warnings = [*private.check(), *volumes.check()]
        for warning in warnings:
            LOG.warning('nova-compute starts all the same: %s', warning)
        driver = importlib.import_module('nova_pt_migrate.compute.driver')
    except errors.CannotStart as exc:
        failure.stop(str(exc))
    except Exception as exc:
        LOG.debug('Importing the driver failed', exc_info=True)
        failure.stop(
            f'[DEFAULT] compute_driver = pt_migrate.{DRIVER}: the driver '
            f'cannot be imported ({type(exc).__name__}: {exc}); install '
            f'nova-pt-migrate with all it needs into the Python environment '
            f'of nova-compute.'
        )
    return getattr(driver, DRIVER)
