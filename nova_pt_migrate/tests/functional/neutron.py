# SPDX-License-Identifier: Apache-2.0
"""Nova's Neutron fixture, with Neutron's answers to what comes too late.

Nova's own lets a port be bound to a host twice, activates a binding that is
active, and deletes what is not there. What Neutron answers was read in its
``master`` of August 2026: ``neutron/plugins/ml2/plugin.py`` for what is done,
``neutron/pecan_wsgi/hooks/policy_enforcement.py`` for what is looked up
before. Its unit tests of ``neutron/tests/unit/plugins/ml2/
test_port_binding.py`` show the status of most; the others are marked.
"""

from collections.abc import Callable
import copy
from typing import Any

from neutronclient.common import exceptions
from nova.tests.functional.libvirt import base as libvirt_base

ACTIVE = 'ACTIVE'


class Neutron(libvirt_base.LibvirtNeutronFixture):
    """One Neutron for all hosts of a test.

    :ivar deleted: called with each port that is deleted while a server has
        it; Neutron tells Nova of it (``neutron/notifiers/nova.py``,
        ``_get_port_delete_event``)
    """

    def __init__(self, test: Any) -> None:
        super().__init__(test)
        # Nova's own are those of its class, since none of its tests changes
        # them.
        for name in ('_networks', '_subnets', '_security_groups'):
            setattr(self, name, copy.deepcopy(getattr(self, name)))
        self.deleted: Callable[[dict[str, Any]], None] = lambda port: None

    def create_port_binding(
        self, port_id: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """See ``create_port_binding``; the second is a conflict.

        A port that is gone is not looked up before (a POST), and the plug-in
        stumbles over it: 500 (read).
        """
        if port_id not in self._ports:
            raise exceptions.InternalServerError()
        self._check_owner(port_id)
        host = body['binding']['host']
        if host in self._port_bindings[port_id]:
            raise exceptions.Conflict(
                f'Binding for port {port_id} on host {host} already exists.'
            )
        return dict(super().create_port_binding(port_id, body))

    def delete_port_binding(self, port_id: str, host_id: str) -> None:
        """See ``get_port_binding``, which is asked before a DELETE."""
        self._check_binding(port_id, host_id)
        super().delete_port_binding(port_id, host_id)

    def show_port_binding(self, port_id: str, host_id: str) -> dict[str, Any]:
        """See ``get_port_binding``."""
        self._check_binding(port_id, host_id)
        return dict(super().show_port_binding(port_id, host_id))

    def activate_port_binding(self, port_id: str, host_id: str) -> None:
        """See ``activate``; for a port that is gone 500 (read)."""
        if port_id not in self._ports:
            raise exceptions.InternalServerError()
        self._check_owner(port_id)
        binding = self._port_bindings[port_id].get(host_id)
        if binding is None:
            raise exceptions.NotFound(
                f'Binding for port {port_id} for host {host_id} could not be '
                f'found.'
            )
        if binding['status'] == ACTIVE:
            raise exceptions.Conflict(
                f'Binding for port {port_id} on host {host_id} is already '
                f'active.'
            )
        super().activate_port_binding(port_id, host_id)

    def list_ports(self, is_admin: bool, **params: Any) -> dict[str, Any]:
        """See ``_ml2_port_result_filter_hook``: any binding counts."""
        host = params.pop('binding:host_id', None)
        found = super().list_ports(is_admin, **params)['ports']
        return {
            'ports': [
                port
                for port in found
                if host is None
                or host in self._port_bindings.get(port['id'], ())
            ]
        }

    def show_port(self, port_id: str, **params: Any) -> dict[str, Any]:
        self._check_port(port_id)
        return dict(super().show_port(port_id, **params))

    def update_port(
        self, port_id: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """See ``update_port``; it knows the active binding only.

        The host is part of the primary key of a binding
        (``neutron/plugins/ml2/models.py``, ``PortBinding``), so the active one
        cannot get the host of another: 500 (read), and nothing is changed.
        """
        self._check_port(port_id)
        values = copy.deepcopy((body or {})['port'])
        bindings = self._port_bindings[port_id]
        active, _ = self._get_active_binding(port_id)
        host = values.get('binding:host_id', active)
        if host != active and host in bindings:
            raise exceptions.InternalServerError()
        port = self._ports[port_id]
        port.update(values)
        binding = bindings.pop(active, {})
        if host:
            bindings[host] = binding | {
                'host': host,
                'status': ACTIVE,
                'vif_type': port['binding:vif_type'],
                'vnic_type': port['binding:vnic_type'],
                **{
                    name: values[f'binding:{name}'] or {}
                    for name in ('profile', 'vif_details')
                    if f'binding:{name}' in values
                },
            }
        return {'port': copy.deepcopy(port)}

    def delete_port(self, port_id: str, **params: Any) -> None:
        """See ``delete_port``; all bindings go with it (``CASCADE``)."""
        self._check_port(port_id)
        port = self._ports[port_id]
        super().delete_port(port_id, **params)
        if _is_of_server(port):
            self.deleted(port)

    def _check_port(self, port_id: str) -> None:
        if port_id not in self._ports:
            raise exceptions.PortNotFoundClient(
                f'Port {port_id} could not be found.'
            )

    def _check_binding(self, port_id: str, host: str) -> None:
        self._check_port(port_id)
        self._check_owner(port_id)
        if host not in self._port_bindings[port_id]:
            raise exceptions.NotFound(
                f'Binding for port {port_id} for host {host} could not be '
                f'found.'
            )

    def _check_owner(self, port_id: str) -> None:
        """See ``_validate_port_supports_multiple_bindings``.

        So nobody can delete an inactive binding of a port that was detached.
        """
        if not _is_of_server(self._ports[port_id]):
            raise exceptions.BadRequest(
                f'Invalid port {port_id}. Operation only valid on compute and '
                f'shared filesystem ports'
            )


def _is_of_server(port: dict[str, Any]) -> bool:
    return str(port.get('device_owner') or '').startswith('compute:')
