# SPDX-License-Identifier: Apache-2.0
"""Configuration files of the control plane, and what the hosts share of it.

Every program of OpenStack in a compute host is some 13 times slower than on
the machine itself where the host is emulated, so each time-out is stretched.
"""

import configparser
import io
import pathlib

from lab import settings

Ini = dict[str, dict[str, object]]

PORTS = {
    'mariadb': 3306,
    'rabbit': 5672,
    'keystone': 5000,
    'placement': 8778,
    'glance': 9292,
    'neutron': 9696,
    'nova': 8774,
}
PASSWORD = 'pw'  # noqa: S105 (the network is closed)
PHYSNET = 'physnet1'
DATABASES = (
    'keystone', 'placement', 'glance', 'neutron',
    'nova_api', 'nova_cell0', 'nova_cell1',
)  # fmt: skip


def url(setup: settings.Settings, service: str, path: str = '') -> str:
    """Return where a service answers."""
    return f'http://{setup.control}:{PORTS[service]}{path}'


def database(setup: settings.Settings, name: str) -> str:
    """Return the SQLAlchemy URL of a database."""
    return (
        f'mysql+pymysql://root:{PASSWORD}@{setup.control}/{name}'
        f'?charset=utf8mb3'
    )


def transport(setup: settings.Settings) -> str:
    """Return the message bus's URL."""
    return f'rabbit://guest:guest@{setup.control}:{PORTS["rabbit"]}/'


def user(setup: settings.Settings, name: str) -> dict[str, object]:
    """Return the options of a service user's password login."""
    return {
        'auth_url': url(setup, 'keystone'),
        'auth_type': 'password',
        'username': name,
        'password': PASSWORD,
        'project_name': 'service',
        'user_domain_id': 'default',
        'project_domain_id': 'default',
        'region_name': 'RegionOne',
        'valid_interfaces': 'public',
    }


def common(setup: settings.Settings, name: str) -> Ini:
    """Return the groups that every service has."""
    return {
        'keystone_authtoken': {
            **user(setup, name),
            'www_authenticate_uri': url(setup, 'keystone'),
            'service_token_roles_required': 'true',
            'service_token_roles': 'service',
        },
        'oslo_messaging_notifications': {'driver': 'noop'},
        'oslo_messaging_rabbit': {
            'heartbeat_in_pthread': 'false',
            'rabbit_quorum_queue': 'false',
            'heartbeat_timeout_threshold': 300,
            'kombu_reconnect_delay': 1,
        },
        'oslo_limit': {'auth_url': url(setup, 'keystone')},
    }


def nova_common(setup: settings.Settings) -> Ini:
    """Return what nova's services here and in the hosts share."""
    return {
        'DEFAULT': {
            'transport_url': transport(setup),
            'log_date_format': '%Y-%m-%d %H:%M:%S',
            'rpc_response_timeout': 300,
            'long_rpc_timeout': 3600,
            'service_down_time': 600,
            'report_interval': 30,
        },
        **common(setup, 'nova'),
        'service_user': {
            **user(setup, 'nova'),
            'send_service_user_token': 'true',
        },
        'placement': user(setup, 'placement'),
        'neutron': {**user(setup, 'neutron'), 'http_retries': 3},
        'glance': {'api_servers': url(setup, 'glance')},
        'cinder': {'auth_type': 'none'},
        'upgrade_levels': {'compute': 'auto'},
    }


def files(setup: settings.Settings) -> dict[str, Ini]:
    """Return every file of the control plane, by its path below etc."""
    state = setup.state
    return {
        'keystone/keystone.conf': {
            'database': {
                'connection': database(setup, 'keystone'),
                'max_pool_size': 5,
            },
            'token': {'provider': 'fernet', 'expiration': 86400},
            'fernet_tokens': {
                'key_repository': setup.etc / 'keystone/fernet-keys'
            },
            'credential': {
                'key_repository': setup.etc / 'keystone/credential-keys'
            },
            'identity': {
                'password_hash_algorithm': 'bcrypt',
                'password_hash_rounds': 4,
            },
        },
        'placement/placement.conf': {
            'api': {'auth_strategy': 'keystone'},
            'placement_database': {'connection': database(setup, 'placement')},
            'keystone_authtoken': common(setup, 'placement')[
                'keystone_authtoken'
            ],
        },
        'glance/glance-api.conf': {
            'DEFAULT': {
                'enabled_backends': 'file:file',
                'enabled_import_methods': '[]',
                'workers': 0,
            },
            'database': {'connection': database(setup, 'glance')},
            'glance_store': {'default_backend': 'file'},
            'file': {'filesystem_store_datadir': state / 'glance/images'},
            'paste_deploy': {'flavor': 'keystone'},
            'os_glance_staging_store': {
                'filesystem_store_datadir': state / 'glance/staging'
            },
            'os_glance_tasks_store': {
                'filesystem_store_datadir': state / 'glance/tasks'
            },
            **common(setup, 'glance'),
        },
        'neutron/neutron.conf': _neutron(setup),
        'neutron/ml2_conf.ini': {
            'ml2': {
                'type_drivers': 'flat,vlan',
                'tenant_network_types': 'vlan',
                'mechanism_drivers': 'macvtap,sriovnicswitch',
                'extension_drivers': 'port_security',
            },
            'ml2_type_flat': {'flat_networks': PHYSNET},
            'ml2_type_vlan': {'network_vlan_ranges': f'{PHYSNET}:100:199'},
            'securitygroup': {'enable_security_group': 'false'},
        },
        'nova/nova.conf': _nova(setup),
    }


def _neutron(setup: settings.Settings) -> Ini:
    return {
        'DEFAULT': {
            'core_plugin': 'ml2',
            'service_plugins': 'segments',
            'auth_strategy': 'keystone',
            'transport_url': transport(setup),
            'state_path': setup.state / 'neutron',
            'rpc_workers': 1,
            'rpc_state_report_workers': 0,
            'rpc_response_timeout': 300,
            'notify_nova_on_port_status_changes': 'true',
            'notify_nova_on_port_data_changes': 'true',
            'dhcp_agent_notification': 'false',
            'agent_down_time': 600,
            'api_paste_config': f'{setup.venv}/etc/neutron/api-paste.ini',
            'vlan_transparent': 'false',
        },
        'agent': {'report_interval': 60},
        'database': {'connection': database(setup, 'neutron')},
        'nova': user(setup, 'nova'),
        'placement': user(setup, 'placement'),
        'oslo_concurrency': {'lock_path': setup.state / 'lock'},
        **common(setup, 'neutron'),
    }


def _nova(setup: settings.Settings) -> Ini:
    nova = nova_common(setup)
    nova['DEFAULT'] |= {
        'state_path': setup.state / 'nova',
        'my_ip': setup.control,
        'osapi_compute_workers': 1,
    }
    return {
        **nova,
        'api': {'auth_strategy': 'keystone'},
        'api_database': {'connection': database(setup, 'nova_api')},
        'database': {'connection': database(setup, 'nova_cell1')},
        'wsgi': {'api_paste_config': f'{setup.venv}/etc/nova/api-paste.ini'},
        'scheduler': {
            'workers': 1,
            'discover_hosts_in_cells_interval': 15,
        },
        'conductor': {'workers': 1},
        'filter_scheduler': {
            'enabled_filters': 'ComputeFilter,ComputeCapabilitiesFilter,'
            'ImagePropertiesFilter,PciPassthroughFilter'
        },
        'oslo_concurrency': {'lock_path': setup.state / 'lock'},
    }


def render(ini: Ini) -> str:
    """Return the text of an INI file."""
    parser = configparser.RawConfigParser(default_section='')
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    for group, options in ini.items():
        parser[group] = {key: str(value) for key, value in options.items()}
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def write(setup: settings.Settings) -> None:
    """Write every file of the control plane."""
    for name, ini in files(setup).items():
        path: pathlib.Path = setup.etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(ini))
    for service, name in (
        ('glance', 'glance-api-paste.ini'),
        ('nova', 'api-paste.ini'),
    ):
        source = setup.tree / setup.venv[1:] / 'etc' / service / name
        (setup.etc / service / name).write_text(source.read_text())
    for folder in (
        'lock', 'nova', 'neutron',
        'glance/images', 'glance/staging', 'glance/tasks',
    ):  # fmt: skip
        (setup.state / folder).mkdir(parents=True, exist_ok=True)
