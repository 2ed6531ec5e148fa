# SPDX-License-Identifier: Apache-2.0
"""Change the compute hosts for a trial, and put them back."""

import collections.abc
import contextlib

from lab import settings
from lab.cloud import config as cloud_config
from lab.hosts import config
from lab.hosts import machine
from lab.hosts import provision

SECOND_NIC = 'eth2'
BRIDGE = 'br-ext'
CONF = '/etc/nova/nova.conf'

_SET = """
set -e
sed -i 's|^standby_uplinks = .*|standby_uplinks = {uplinks}|
s|^mac_filters = .*|mac_filters = {filters}|' {conf}
grep -qx 'standby_uplinks = {uplinks}' {conf}
"""
_BRIDGE = f"""
ip link add {BRIDGE} type bridge forward_delay 0
ip link set {{nic}} master {BRIDGE}
ip link set {{nic}} up
ip link set {BRIDGE} up
# The emulated igb gives broadcasts of its PF back to the PF, so that the
# bridge would learn that the guest is outside.
bridge link set dev {{nic}} learning {{learning}}
"""
_NO_BRIDGE = f'ip link delete {BRIDGE} 2>/dev/null || true'
_FUNCTIONS = f"""
cd /sys/class/net/{config.PHYSICAL_FUNCTION}/device
echo {{probe}} > sriov_drivers_autoprobe
modprobe igbvf
for vf in virtfn*; do
    address=$(basename $(readlink $vf))
    test $address != {config.NEIGHBOUR} || continue
    driver=$(basename $(readlink $vf/driver) 2>/dev/null || true)
    {{each}}
done
"""
_BIND = 'test "$driver" || echo $address > /sys/bus/pci/drivers_probe'
_UNBIND = 'test "$driver" != igbvf || echo $address > $vf/driver/unbind'


@contextlib.contextmanager
def nothing(setup: settings.Settings) -> collections.abc.Iterator[None]:
    """The hosts as they are."""
    yield


@contextlib.contextmanager
def second_nic(setup: settings.Settings) -> collections.abc.Iterator[None]:
    """Standbys are macvtaps on another NIC than the PF."""
    script = f'ip link set {SECOND_NIC} up'
    with _uplinks(setup, f'macvtap/{SECOND_NIC}', 'one', script):
        yield


@contextlib.contextmanager
def second_bridge(setup: settings.Settings) -> collections.abc.Iterator[None]:
    """Standbys are on a bridge over another NIC than the PF."""
    script = _BRIDGE.format(nic=SECOND_NIC, learning='on')
    with _uplinks(setup, f'bridge/{BRIDGE}', 'one', script):
        yield


@contextlib.contextmanager
def own_bridge(setup: settings.Settings) -> collections.abc.Iterator[None]:
    """Standbys are on a bridge over the PF."""
    nic = config.PHYSICAL_FUNCTION
    script = _BRIDGE.format(nic=nic, learning='off')
    with _uplinks(setup, f'bridge/{BRIDGE}', 'both', script):
        yield


@contextlib.contextmanager
def post_copy(setup: settings.Settings) -> collections.abc.Iterator[None]:
    """Nova may let the guest run at the destination before all is copied."""
    words = f"""
sed -i 's|^\\[libvirt\\]$|&\\nlive_migration_permit_post_copy = true|' {CONF}
grep -qx 'live_migration_permit_post_copy = true' {CONF}
"""
    try:
        _everywhere(setup, words)
        provision.restart_compute(setup)
        yield
    finally:
        provision.configure(setup)


@contextlib.contextmanager
def _uplinks(
    setup: settings.Settings, where: str, filters: str, script: str
) -> collections.abc.Iterator[None]:
    words = _SET.format(
        uplinks=f'{cloud_config.PHYSNET}:{where}', filters=filters, conf=CONF
    )
    try:
        _everywhere(setup, f'{_NO_BRIDGE}\n{words}{script}')
        provision.restart_compute(setup)
        yield
    finally:
        _everywhere(setup, _NO_BRIDGE)
        provision.configure(setup)


@contextlib.contextmanager
def autoprobe(setup: settings.Settings) -> collections.abc.Iterator[None]:
    """The hosts' own driver takes every VF that no guest has."""
    try:
        _everywhere(setup, _FUNCTIONS.format(probe=1, each=_BIND))
        yield
    finally:
        _everywhere(setup, _FUNCTIONS.format(probe=0, each=_UNBIND))


def _everywhere(setup: settings.Settings, script: str) -> None:
    for where in setup.hosts:
        machine.ssh(setup, where, script, 120)
