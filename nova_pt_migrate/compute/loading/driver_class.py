# SPDX-License-Identifier: Apache-2.0
"""Give Nova the driver class, or stop the service with one sentence."""

import importlib
from typing import Any

from nova import monkey_patch
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
    _refuse_eventlet()
    try:
        private = importlib.import_module(
            'nova_pt_migrate.compute.loading.nova_interface'
        )
        for warning in private.check():
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


def _refuse_eventlet() -> None:
    """Stop where all threads are one, so that waiting stops the others."""
    if monkey_patch.is_patched():
        failure.stop(
            f'this process is patched by eventlet, and '
            f'pt_migrate.{DRIVER} needs native threads; set [DEFAULT] '
            f'concurrency_backend = threading, and take '
            f'OS_NOVA_DISABLE_EVENTLET_PATCHING out of its environment.'
        )
