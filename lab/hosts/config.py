# SPDX-License-Identifier: Apache-2.0
"""Configuration files of a compute host: nova-compute and two agents."""

import json

from lab import settings
from lab.cloud import config
from lab.hosts import machine

PHYSICAL_FUNCTION = 'eth1'
# Those for guests, of the seven that the emulated adapter has; the last one is
# the neighbour's.
VIRTUAL_FUNCTIONS = (
    {'bus': '01', 'slot': '10', 'function': '.*'},
    {'bus': '01', 'slot': '11', 'function': '[02]'},
)
NEIGHBOUR = '0000:01:11.4'
OURS = 'pt_migrate.PassthroughLibvirtDriver'
STOCK = 'libvirt.LibvirtDriver'

_PRIVSEP = (
    'nova_sys_admin',
    'privsep_osbrick',
    'vif_plug_linux_bridge_privileged',
    'vif_plug_ovs_privileged',
    'pt_migrate_privileged',
)


def files(
    setup: settings.Settings, host: settings.Host, driver: str = OURS
) -> dict[str, str]:
    """Return the text of each file by its path in the host."""
    mapping = f'{config.PHYSNET}:{PHYSICAL_FUNCTION}'
    macvtap: config.Ini = {'macvtap': {'physical_interface_mappings': mapping}}
    sriov: config.Ini = {
        'sriov_nic': {
            'physical_device_mappings': mapping,
            'exclude_devices': f'{PHYSICAL_FUNCTION}:{NEIGHBOUR}',
        }
    }
    return {
        '/etc/hosts': _hosts(setup),
        '/etc/nova/nova.conf': config.render(nova(setup, host, driver)),
        '/etc/neutron/neutron.conf': config.render(neutron(setup, host)),
        '/etc/neutron/macvtap_agent.ini': config.render(macvtap),
        '/etc/neutron/sriov_agent.ini': config.render(sriov),
        # The host's disk is new at each start, and Nova knows it by this.
        '/var/lib/nova/compute_id': machine.uuid(host),
    }


def nova(
    setup: settings.Settings, host: settings.Host, driver: str
) -> config.Ini:
    """Return the options of nova-compute."""
    ini = config.nova_common(setup)
    ini['DEFAULT'] |= {
        'host': host.name,
        'my_ip': host.address,
        'compute_driver': driver,
        'state_path': '/var/lib/nova',
        'instances_path': '/var/lib/nova/instances',
        'log_file': '/var/log/nova/nova-compute.log',
        'vif_plugging_timeout': 600,
        'shutdown_timeout': 10,
        # Nova waits this long even if there is nothing to wait for.
        'graceful_shutdown_timeout': 15,
        'manager_shutdown_timeout': 5,
        'heal_instance_info_cache_interval': -1,
    }
    helper = '/opt/pt/bin/privsep-helper --config-file /etc/nova/nova.conf'
    return {
        **ini,
        **{group: {'helper_command': helper} for group in _PRIVSEP},
        'oslo_concurrency': {'lock_path': '/var/lib/nova/lock'},
        'libvirt': _libvirt(host),
        'pt_migrate': {
            'standby_uplinks': f'{config.PHYSNET}:macvtap/{PHYSICAL_FUNCTION}',
            'mac_filters': 'both',
        },
        'pci': {
            'device_spec': json.dumps(
                [
                    {'address': address, 'physical_network': config.PHYSNET}
                    for address in VIRTUAL_FUNCTIONS
                ]
            )
        },
        # libvirt finds an emulated CPU incompatible even with itself.
        'workarounds': {'skip_cpu_compare_on_dest': 'true'},
        'vnc': {'enabled': 'false'},
        'spice': {'enabled': 'false'},
        'serial_console': {'enabled': 'false'},
    }


def neutron(setup: settings.Settings, host: settings.Host) -> config.Ini:
    """Return the options that both agents share."""
    return {
        'DEFAULT': {
            'host': host.name,
            'transport_url': config.transport(setup),
            'rpc_response_timeout': 300,
            'state_path': '/var/lib/neutron',
        },
        'agent': {
            'report_interval': 30,
            'polling_interval': 2,
            # They run as root: this runs what follows, and nothing else.
            'root_helper': 'env',
        },
        'securitygroup': {
            'enable_security_group': 'false',
            'firewall_driver': 'noop',
        },
        'oslo_concurrency': {'lock_path': '/var/lib/neutron/lock'},
        **config.common(setup, 'neutron'),
    }


def _libvirt(host: settings.Host) -> dict[str, object]:
    return {
        'virt_type': 'kvm',
        'cpu_mode': 'host-passthrough',
        # A guest that may run guests itself is slower to emulate.
        'cpu_model_extra_flags': '-svm',
        'hw_machine_type': 'x86_64=q35',
        'num_pcie_ports': 16,
        'images_type': 'qcow2',
        'live_migration_inbound_addr': host.address,
        'live_migration_scheme': 'tcp',
        'device_detach_timeout': 60,
        'mem_stats_period_seconds': 0,
        'swtpm_enabled': 'false',
    }


def _hosts(setup: settings.Settings) -> str:
    names = {'127.0.0.1': 'localhost', setup.control: 'control'}
    names |= {host.address: host.name for host in setup.hosts}
    return ''.join(f'{address} {name}\n' for address, name in names.items())
