# SPDX-License-Identifier: Apache-2.0
"""One migration whose end must still be found out and carried through."""

import datetime
from typing import Any

from nova import exception
from nova import objects
from nova.compute import task_states
from nova.objects import fields
from nova.virt.libvirt import driver as libvirt_driver
from oslo_log import log as logging
from oslo_utils import timeutils

from nova_pt_migrate.compute import local_domain
from nova_pt_migrate.compute import records
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.compute.recovery import known as known_migration
from nova_pt_migrate.compute.recovery import leftovers
from nova_pt_migrate.compute.recovery import originals
from nova_pt_migrate.compute.recovery import undecided
from nova_pt_migrate.compute.server import activation
from nova_pt_migrate.compute.server import lost_ports
from nova_pt_migrate.core import domain_words
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import whereabouts

LOG = logging.getLogger(__name__)
USED = (
    *('flavor', 'info_cache', 'system_metadata'),
    *('migration_context', 'numa_topology', 'pci_requests'),
)
"""What Nova reads of an instance in what follows, at once."""
WAITING = 'accepted'
"""Status of a migration that the conductor has not given to its source."""


class Settlement:
    """A live migration from this host that no thread looks after any more.

    Settling it changes nothing until it is known where the guest is; then it
    takes Nova's own ways, which may be walked again from the start after a
    crash or a failure in their midst.

    :param driver: Nova's libvirt driver on this host
    :param tell: makes the story of what is found
    :param ask: gets the word of libvirt of another host
    :param known: what its process knew of it, if that lives
    :param status: of a migration that is rolled back
    :param abort: nobody watches libvirt's job, so one that runs is aborted
    :param withheld: Nova has not initialised the server since it started
    :param accepted: no nova-compute had been given it when this one started
    :param cause: why nobody looks after it, in words
    """

    def __init__(
        self,
        driver: Any,
        tell: actions.Tell,
        ask: leftovers.Ask,
        server: str,
        migration: int,
        *,
        known: known_migration.Known | None = None,
        status: str = 'failed',
        abort: bool = False,
        withheld: bool = False,
        accepted: bool = False,
        cause: str = 'nova-compute of its source ended',
    ) -> None:
        self.server = server
        self._driver = driver
        self._tell = tell
        self._ask = ask
        self._compute = driver.virtapi._compute
        self._migration = migration
        self._known = known
        self._status = status
        self._abort = abort
        self._withheld = withheld
        self._accepted = accepted
        self._cause = cause
        self._seen_preparing = False
        self._tried = False
        self._request: Any = None
        self._undecided = undecided.Undecided()

    @property
    def what(self) -> str:
        """Say what is done here, as the begin of a sentence."""
        return f'Settling the live migration of server {self.server}'

    def settle(self, context: Any) -> bool:
        """Do what can be done now.

        :returns: True if nothing is left to do
        :raises Exception: from Nova, Neutron, libvirt or the database; it
            may be called again
        """
        try:
            instance = objects.Instance.get_by_uuid(
                context,
                self.server,
                expected_attrs=list(USED),
            )
        except exception.InstanceNotFound:
            migration = objects.Migration.get_by_id(context, self._migration)
            leftovers.of_deletion(self._compute, context, migration)
            return True
        migration = objects.Migration.get_by_id(context, self._migration)
        if records.is_over(migration, instance):
            return self._done(context, instance, migration)
        if self._is_taken_up(context, migration):
            return True
        if instance.host != migration.source_compute:
            give_up = (
                leftovers.of_evacuation
                if leftovers.is_followed(
                    context, migration, fields.MigrationType.EVACUATION
                )
                else leftovers.of_arrival
            )
            give_up(self._compute, context, instance, migration)
            return self._done(context, instance, migration)
        if instance.task_state not in (task_states.MIGRATING, None):
            return False
        if self._may_go_on(migration):
            return False
        if self._known is None:
            self._request = self._request or records.of_request(self.server)
            context = self._request
        return self._by_guest(context, instance, migration)

    def _is_taken_up(self, context: Any, migration: Any) -> bool:
        """True if a nova-compute migrates the server, and will end that.

        What was accepted when it started, and has gone on since, can only
        have been given to it. Nova's list alone does not tell: a server is
        taken from it before its departure is under way, and left in it where
        its preparation failed.
        """
        if self._accepted and migration.status != WAITING:
            return True
        waiting = self._compute._waiting_live_migrations.get(self.server)
        if waiting and not (waiting[1] and waiting[1].done()):
            return True
        return migration.status == records.ERROR and leftovers.is_followed(
            context, migration, fields.MigrationType.LIVE_MIGRATION
        )

    def _may_go_on(self, migration: Any) -> bool:
        """True while conductor or destination may still be at work on it.

        What was accepted may yet be given to this host, or be ended by the
        conductor, for as long as one call of theirs may take. What was being
        prepared is looked at twice, so that the destination has had time.
        """
        if migration.status == WAITING:
            since = migration.updated_at or migration.created_at
            patience = datetime.timedelta(
                seconds=libvirt_driver.CONF.long_rpc_timeout
            )
            return bool(timeutils.utcnow(True) - since < patience)
        if migration.status == 'preparing' and not self._seen_preparing:
            self._seen_preparing = True
            return True
        return False

    def _by_guest(self, context: Any, instance: Any, migration: Any) -> bool:
        found = whereabouts.find(
            local_domain.look(self._driver._host, instance),
            lambda: self._ask(migration.dest_compute, instance.uuid),
        )
        if found.source is domain_words.Domain.BUSY and self._abort:
            LOG.warning(
                'The live migration goes on though nova-compute does not '
                'watch it any more; it is aborted.', instance=instance,
            )  # fmt: skip
            self._driver._host.get_guest(instance).abort_job()
            return False
        LOG.info(
            'The guest of the live migration from %s to %s is %s; %s.',
            migration.source_compute, migration.dest_compute,
            found.guest.value, found, instance=instance,
        )  # fmt: skip
        if found.guest in (whereabouts.Guest.UNKNOWN, whereabouts.Guest.STUCK):
            known = self._known.context if self._known else context
            self._undecided.note(
                found, instance, lambda: self._tell(known, instance)
            )
            return False
        if self._known is None:
            self._tell(context, instance).tell(
                reasons.Failure(
                    reasons.Reason.INTERRUPTED,
                    f'{self._cause}; the guest was found {found.guest.value}',
                )
            )
        if found.guest is whereabouts.Guest.THERE:
            if found.source in whereabouts.STALE:
                leftovers.remove_from_source(self._driver._host, instance)
            self._finish_there(context, instance, migration)
        elif instance.task_state is None:
            leftovers.end(migration, self._status)
        else:
            lost_ports.correct(self._compute, instance)
            self._roll_back_here(context, instance, migration)
        ended = self._ended(context, instance)
        return records.is_over(ended, instance) and self._done(
            context, instance, ended
        )

    def _ended(self, context: Any, instance: Any) -> Any:
        """Return the migration as Nova has saved it, here or elsewhere."""
        if self._known and records.is_over(
            self._known.migrate_data.migration, instance
        ):
            return self._known.migrate_data.migration
        return objects.Migration.get_by_id(context, self._migration)

    def _roll_back_here(
        self, context: Any, instance: Any, migration: Any
    ) -> None:
        known = self._known or self._reconstructed(
            context, instance, migration, arrived=False
        )
        if self._known is None or self._tried:
            originals.restore_lost(
                context,
                instance,
                known.source_bdms,
                self._compute.volume_api,
            )
        self._tried = True
        self._compute._rollback_live_migration(
            known.context,
            instance,
            migration.dest_compute,
            migrate_data=known.migrate_data,
            migration_status=self._status,
            source_bdms=known.source_bdms,
        )

    def _finish_there(
        self, context: Any, instance: Any, migration: Any
    ) -> None:
        # The network first: it is dark until the bindings are activated.
        activation.activate(self._compute, context, instance, migration)
        known = self._known or self._reconstructed(
            context, instance, migration, arrived=True
        )
        self._compute._post_live_migration(
            known.context,
            instance,
            migration.dest_compute,
            block_migration=known.migrate_data.block_migration,
            migrate_data=known.migrate_data,
            source_bdms=known.source_bdms,
        )

    def _reconstructed(
        self, context: Any, instance: Any, migration: Any, arrived: bool
    ) -> known_migration.Known:
        return known_migration.reconstructed(
            context, instance, migration, self._compute.volume_api, arrived
        )

    def _done(self, context: Any, instance: Any, migration: Any) -> bool:
        """See to what Nova does not, and hand the server over to it."""
        if not leftovers.end_allocation(
            self._compute, context, instance, migration
        ):
            return False
        if migration.status == 'completed' and (
            self._known is None or self._known.has_volumes
        ):
            leftovers.delete_old_attachments(self._compute, context, instance)
        if self._withheld:
            self._withheld = False
            instance.refresh()
            self._compute._init_instance(context, instance)
        return True
