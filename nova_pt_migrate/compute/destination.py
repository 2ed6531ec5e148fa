# SPDX-License-Identifier: Apache-2.0
"""Nova's hooks on the host that a server is to come to."""

import dataclasses
import sys
import threading
from typing import Any

from nova import exception
from nova.network import model as network_model
from nova.virt.libvirt import driver as libvirt_driver
from oslo_log import log as logging
from oslo_utils import excutils

from nova_pt_migrate.compute import claims
from nova_pt_migrate.compute import late
from nova_pt_migrate.compute import peers
from nova_pt_migrate.compute import ports
from nova_pt_migrate.compute import replacements
from nova_pt_migrate.compute import servers
from nova_pt_migrate.compute import story
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class _Check:
    """A pre-check that goes on in this thread.

    :ivar server: UUID
    :ivar requests: what Nova claims in it
    """

    server: str
    requests: list[claims.Request]

    def among(self, found: list[Any]) -> list[claims.Request]:
        """Return those that Nova means with its own objects."""
        known = {each.request_id for each in found}
        return [r for r in self.requests if r.nova.request_id in known]


class DestinationHooks(libvirt_driver.LibvirtDriver):
    """What our driver adds to Nova's where a server is after it moved."""

    _pt_checking: threading.local
    _pt_late: late.LateReleases
    _pt_servers: servers.Servers
    _pt_tell: story.Tell
    _pt_protocols = peers.SPOKEN

    def check_can_live_migrate_destination(
        self,
        context: Any,
        instance: Any,
        src_compute_info: Any,
        dst_compute_info: Any,
        block_migration: bool = False,
        disk_over_commit: bool = False,
    ) -> Any:
        """Refuse what has no fitting free devices here, before Nova claims.

        Nova's claim would fail with an exception that turns the server into
        ERROR and lets no other host be tried.

        :raises nova.exception.MigrationPreCheckError: nothing was changed;
            Nova tries the next host
        """
        tracker = claims.tracker(self.virtapi)
        self._pt_checking.check = None
        if tracker and ports.owned(instance.get_network_info()):
            try:
                self._pt_checking.check = self._pt_look(
                    context, instance, tracker
                )
            except exception.MigrationPreCheckError:
                raise
            except Exception as exc:
                raise _broken(tracker.host, exc) from exc
        data = super().check_can_live_migrate_destination(
            context, instance, src_compute_info, dst_compute_info,
            block_migration, disk_over_commit,
        )  # fmt: skip
        peers.introduce(data, self._pt_protocols)
        return data

    def check_source_migrate_data_at_dest(
        self,
        ctxt: Any,
        instance: Any,
        migrate_data: Any,
        migration: Any,
        limits: Any,
        allocs: Any,
    ) -> Any:
        """Check as Nova does, with all claims known to its tracker.

        Nova claims for the flavor and then for the ports, and the second
        claim makes the tracker forget the first.

        :raises nova.exception.MigrationPreCheckError: Nova tries the next
            host
        """
        tracker = claims.tracker(self.virtapi)
        if tracker and ports.owned(instance.get_network_info()):
            claims.remember(tracker, instance.uuid)
        peers.forget(migrate_data)
        return super().check_source_migrate_data_at_dest(
            ctxt, instance, migrate_data, migration, limits, allocs
        )

    def pre_live_migration(
        self,
        context: Any,
        instance: Any,
        block_device_info: Any,
        network_info: Any,
        disk_info: Any,
        migrate_data: Any,
    ) -> Any:
        """Prepare as Nova does, and say that our driver waits here.

        If that fails the source rolls back, but does not tell this host
        where the instance path is shared. So the devices are freed here.

        :raises nova.exception.NovaException: Nova rolls back
        """
        try:
            data = super().pre_live_migration(
                context, instance, block_device_info, network_info,
                disk_info, migrate_data,
            )  # fmt: skip
        except Exception:
            with excutils.save_and_reraise_exception():
                if ports.owned_migrate_vifs(migrate_data):
                    self._pt_free(context, instance.uuid)
        peers.introduce(data, self._pt_protocols)
        return data

    def post_live_migration_at_destination(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_migration: bool = False,
        block_device_info: Any = None,
    ) -> None:
        """Plug our devices, or others instead, and do the rest as Nova does.

        Never raises for them: the guest runs here for good, and what Nova
        does next must be done.
        """
        if ports.owned(network_info):
            try:
                self._pt_arrive(context, instance, network_info)
            except Exception:
                LOG.exception(
                    'The devices are plugged later', instance=instance
                )
                self._pt_late.note(instance.uuid)
        super().post_live_migration_at_destination(
            context, instance,
            network_model.NetworkInfo(
                [vif for vif in network_info if not ports.owned([vif])]
            ),
            block_migration, block_device_info,
        )  # fmt: skip

    def cleanup_live_migration_destination_check(
        self, context: Any, dest_check_data: Any
    ) -> None:
        """Clean up after the check, and free its claims if it has failed.

        Nova calls this whether it has failed or not, with the exception on
        its way (nova/compute/manager.py:8910). Where that is the one of a
        claim that another server was faster for, or any other that Nova does
        not take for a refusal of this host, it is turned into one.

        :raises nova.exception.MigrationPreCheckError: Nova tries the next
            host
        """
        super().cleanup_live_migration_destination_check(
            context, dest_check_data
        )
        check = getattr(self._pt_checking, 'check', None)
        self._pt_checking.check = None
        failed = sys.exc_info()[1]
        if check is None or failed is None:
            return
        self._pt_free(context, check.server)
        host = claims.tracker(self.virtapi).host
        if isinstance(failed, exception.PciDeviceRequestFailed):
            raise _refused(
                host, check.among(failed.kwargs['requests'])
            ) from failed
        if not isinstance(
            failed, (exception.Invalid, exception.MigrationPreCheckError)
        ):
            raise _broken(host, failed) from failed

    def _pt_look(self, context: Any, instance: Any, tracker: Any) -> _Check:
        """See whether there are devices for all that Nova will claim.

        :raises nova.exception.MigrationPreCheckError: there are not
        """
        claims.free(context, tracker, instance.uuid)
        requests = claims.requests(context, instance)
        unmet = claims.unmet(tracker, requests)
        if unmet:
            self._pt_tell(context, instance).tell(_no_device(unmet))
            raise _refused(tracker.host, unmet)
        return _Check(instance.uuid, requests)

    def _pt_arrive(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        others = replacements.Replacements(
            context, instance, self.virtapi._compute, network_info
        )
        try:
            if self._pt_servers.of(
                instance, self._pt_tell(context, instance)
            ).come_home(ports.owned(network_info), others=others):
                self._pt_late.note(instance.uuid)
        finally:
            others.finish()

    def _pt_free(self, context: Any, server: str) -> None:
        """Free what is held here for a server that does not come.

        Never raises: another exception is on its way, and the lease frees
        what is left.
        """
        try:
            claims.free(context, claims.tracker(self.virtapi), server)
        except Exception:
            LOG.exception(
                'Devices for server %s stay claimed here for a while', server
            )


def _broken(host: str, exc: BaseException) -> exception.MigrationPreCheckError:
    """Any other exception would turn the server into ERROR."""
    LOG.warning('The check of this host has failed', exc_info=exc)
    return exception.MigrationPreCheckError(
        reason=f'Host {host} could not be checked: {type(exc).__name__}: {exc}'
    )


def _no_device(requests: list[claims.Request]) -> reasons.Failure:
    """Say what there is no device for, on whatever host was tried last."""
    return reasons.Failure(
        reasons.Reason.NO_DEVICE,
        'no free device for '
        + ', '.join(request.owner for request in requests),
    )


def _refused(
    host: str,
    requests: list[claims.Request],
) -> exception.MigrationPreCheckError:
    """What to do comes first: Nova shows users 255 characters."""
    LOG.info('No free device for %s', '; '.join(map(str, requests)))
    return exception.MigrationPreCheckError(
        reason=f'Host {host} has no free device for all: free some '
        f'there, or choose another host. There is none for '
        f'{", ".join(request.owner for request in requests)}.'
    )
