# SPDX-License-Identifier: Apache-2.0
"""Run the real main of nova-compute up to the loaded driver.

A program of its own: it replaces the questions to a conductor, the connection
to placement, the libvirt module and the serving of requests, and prints which
driver the compute manager has.
"""

import json
import sys
import types
from typing import Any


class Libvirt(types.ModuleType):
    """A stand-in: every constant is 1, and there is no connection."""

    class libvirtError(Exception):  # noqa: N801, N818 (libvirt's name)
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        return 1


def serve(server: Any, **_kwargs: Any) -> None:
    driver = type(server.manager.driver)
    print(json.dumps({'driver': f'{driver.__module__}.{driver.__name__}'}))


def main() -> None:
    if '--without-libvirt' in sys.argv:
        sys.argv.remove('--without-libvirt')
        sys.modules['libvirt'] = None  # type: ignore[assignment]
    else:
        sys.modules['libvirt'] = Libvirt('libvirt')
    # nova-compute chooses its threads where its module is imported first.
    from nova.cmd import compute

    # isort: split
    from nova import service
    from nova import utils
    from nova.conductor import api
    from nova.scheduler.client import report

    report.SchedulerReportClient._create_client = lambda _self: None
    utils.raise_if_old_compute = lambda: None
    api.API.wait_until_ready = lambda *_args, **_kwargs: None
    service.serve = serve
    service.wait = lambda: None
    compute.main()


if __name__ == '__main__':
    main()
