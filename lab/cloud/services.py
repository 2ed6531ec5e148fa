# SPDX-License-Identifier: Apache-2.0
"""The services of the control plane, as processes in the closed network."""

import functools

from lab import settings
from lab import shell
from lab import stages
from lab.cloud import config

APIS = {
    'keystone': ('keystone.wsgi.api', 'OS_KEYSTONE_CONFIG_DIR', ''),
    'placement': ('placement.wsgi.api', 'OS_PLACEMENT_CONFIG_DIR', ''),
    'glance': ('glance.wsgi.api', 'OS_GLANCE_CONFIG_DIR', ''),
    'neutron': (
        'neutron.wsgi.api',
        'OS_NEUTRON_CONFIG_DIR',
        'OS_NEUTRON_CONFIG_FILES=neutron.conf;ml2_conf.ini',
    ),
    # The first file that nova is given is taken for the paste file.
    'nova': (
        'nova.wsgi.osapi_compute',
        'OS_NOVA_CONFIG_DIR',
        'OS_NOVA_CONFIG_FILES=api-paste.ini;nova.conf',
    ),
}
WORKERS = ('neutron-rpc', 'nova-conductor', 'nova-scheduler')
NAMES = tuple(f'{name}-api' for name in APIS) + WORKERS


def api(setup: settings.Settings, name: str) -> None:
    """Start one API under uwsgi.

    uwsgi closes each connection without a word unless it is told to say so,
    and clients then fail at random.
    """
    module, folder, files = APIS[name]
    shell.spawn(
        setup,
        f'{name}-api',
        shell.inside(
            setup,
            ['env', f'{folder}={setup.etc / name}',
             *([files] if files else []), 'LC_ALL=C.UTF-8',
             f'{setup.venv}/bin/uwsgi',
             '--http-socket', f'{setup.control}:{config.PORTS[name]}',
             '--module', f'{module}:application', '--master',
             '--processes', '1', '--threads', '6', '--enable-threads',
             '--thunder-lock', '--die-on-term', '--lazy-apps', '--need-app',
             '--buffer-size', '65535', '--http-chunked-input',
             '--disable-logging', '--add-header', 'Connection: close',
             '--virtualenv', setup.venv],
        ),
    )  # fmt: skip


def answers(setup: settings.Settings, name: str) -> bool:
    """True if the API answers HTTP at all."""
    code = (
        'import http.client, sys\n'
        f'c = http.client.HTTPConnection({setup.control!r}, '
        f'{config.PORTS[name]}, timeout=5)\n'
        'try:\n'
        '    c.request("GET", "/"); c.getresponse()\n'
        'except OSError:\n'
        '    print("no")\n'
    )
    return not shell.run(
        shell.in_netns(setup, ['python3', '-c', code]), timeout=30
    )


def _apis(setup: settings.Settings, *names: str) -> None:
    for name in names:
        if not shell.alive(setup, f'{name}-api'):
            api(setup, name)
    for name in names:
        check = functools.partial(answers, setup, name)
        shell.wait_for(f'{name} API', check, 180)


def _workers(setup: settings.Settings) -> None:
    neutron = setup.etc / 'neutron'
    nova = ['--config-file', str(setup.etc / 'nova/nova.conf')]
    commands = {
        'neutron-rpc': [
            'neutron-rpc-server',
            '--config-file', str(neutron / 'neutron.conf'),
            '--config-file', str(neutron / 'ml2_conf.ini'),
        ],
        'nova-conductor': ['nova-conductor', *nova],
        'nova-scheduler': ['nova-scheduler', *nova],
    }  # fmt: skip
    for name, (program, *arguments) in commands.items():
        if not shell.alive(setup, name):
            shell.spawn(
                setup,
                name,
                shell.inside(
                    setup,
                    ['env', 'LC_ALL=C.UTF-8',
                     f'PATH={setup.venv}/bin:/usr/sbin:/usr/bin:/sbin:/bin',
                     f'{setup.venv}/bin/{program}', *arguments],
                ),
            )  # fmt: skip


def _all_alive(setup: settings.Settings, names: tuple[str, ...]) -> bool:
    return all(shell.alive(setup, name) for name in names)


KEYSTONE = stages.Stage(
    'keystone',
    lambda setup: _apis(setup, 'keystone'),
    lambda setup: shell.alive(setup, 'keystone-api'),
)
STAGES = [
    stages.Stage(
        'APIs of placement, glance, neutron and nova',
        lambda setup: _apis(setup, 'placement', 'glance', 'neutron', 'nova'),
        lambda setup: _all_alive(setup, tuple(f'{name}-api' for name in APIS)),
    ),
    stages.Stage(
        'conductor, scheduler, neutron RPC',
        _workers,
        lambda setup: _all_alive(setup, WORKERS),
    ),
]
