# SPDX-License-Identifier: Apache-2.0
"""What our drivers on other hosts may ask this one.

An endpoint among those of nova-compute's own RPC server, told apart by its
namespace: no server, topic or threads of ours. Messages are plain values.
"""

from collections.abc import Callable
from typing import Any

from nova import exception
from nova import objects
from nova.virt.libvirt import driver as libvirt_driver
import oslo_messaging
from oslo_utils import uuidutils

from nova_pt_migrate.compute import local_domain
from nova_pt_migrate.compute.rpc import messages
from nova_pt_migrate.compute.server import owner


class Endpoint:
    """Answers, and hands on what it is told.

    :param host: nova.virt.libvirt.host.Host
    :param come: takes what has come for a server that is expected here, and
        passes over any other
    """

    target = oslo_messaging.Target(
        namespace=messages.NAMESPACE, version=messages.VERSION
    )

    def __init__(
        self, host: Any, come: Callable[[str, owner.Moment], None]
    ) -> None:
        self._host = host
        self._come = come

    def guest(self, context: Any, server: str, stopped: bool) -> None:
        """Take note of what a server's guest does on the host that it leaves.

        :param server: UUID
        :param stopped: its CPUs do not run there any more; or they do again
        """
        moment = owner.Moment.NEAR if stopped is True else owner.Moment.FAR
        self._come(str(server), moment)

    @oslo_messaging.expected_exceptions(  # type: ignore[untyped-decorator]
        exception.Invalid, exception.HypervisorUnavailable
    )
    def domain(self, context: Any, server: str) -> messages.Message:
        """Say what libvirt of this host says of a server's domain.

        :param server: UUID
        :returns: see :func:`messages.of_word`
        :raises nova.exception.Invalid: it is none; nobody of ours asks so
        :raises nova.exception.HypervisorUnavailable: libvirt does not answer
        """
        if not uuidutils.is_uuid_like(server):
            raise exception.InvalidUUID(uuid=str(server))
        try:
            word = local_domain.read(self._host, objects.Instance(uuid=server))
        except exception.InstanceNotFound:
            return messages.of_word(None)
        except (
            exception.NovaException,
            libvirt_driver.libvirt.libvirtError,
        ) as exc:
            raise exception.HypervisorUnavailable() from exc
        return messages.of_word(word)
