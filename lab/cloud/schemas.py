# SPDX-License-Identifier: Apache-2.0
"""Database schemas, and keystone's first identities."""

import concurrent.futures
import pathlib

from lab import settings
from lab import shell
from lab import stages
from lab.cloud import config
from lab.cloud import daemons


def _configure(setup: settings.Settings) -> None:
    config.write(setup)


def _migrate(setup: settings.Settings) -> None:
    daemons.sql(
        setup,
        ''.join(
            f'CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb3;\n'
            for name in config.DATABASES
        ),
    )
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(_commands, setup, commands)
            for commands in _migrations(setup)
        ]
        for job in jobs:
            job.result()
    _marker(setup).touch()


def _commands(setup: settings.Settings, commands: list[list[str]]) -> None:
    for command in commands:
        program, *arguments = command
        shell.run(
            shell.inside(setup, [f'{setup.venv}/bin/{program}', *arguments]),
            timeout=900,
            log=setup.log / 'schemas.log',
            env={'LC_ALL': 'C.UTF-8'},
        )


def _migrations(setup: settings.Settings) -> list[list[list[str]]]:
    """Return independent lists of commands, each to be run in order."""

    def program(name: str, file: str, *words: str) -> list[str]:
        return [name, '--config-file', str(setup.etc / file), *words]

    keystone = 'keystone/keystone.conf'
    nova = 'nova/nova.conf'
    neutron = program(
        'neutron-db-manage',
        'neutron/neutron.conf',
        '--config-file',
        str(setup.etc / 'neutron/ml2_conf.ini'),
        'upgrade',
        'heads',
    )
    as_root = ('--keystone-user', 'root', '--keystone-group', 'root')
    address = config.url(setup, 'keystone', '/v3')
    bootstrap = [
        word
        for name in ('admin', 'public', 'internal')
        for word in (f'--bootstrap-{name}-url', address)
    ]
    return [
        [
            program('keystone-manage', keystone, 'db_sync'),
            program('keystone-manage', keystone, 'fernet_setup', *as_root),
            program(
                'keystone-manage', keystone, 'credential_setup', *as_root
            ),
            program(
                'keystone-manage', keystone, 'bootstrap',
                '--bootstrap-password', config.PASSWORD, *bootstrap,
                '--bootstrap-region-id', 'RegionOne',
            ),
            program('placement-manage', 'placement/placement.conf',
                    'db', 'sync'),
            program('glance-manage', 'glance/glance-api.conf', 'db_sync'),
        ],
        [
            program('nova-manage', nova, 'api_db', 'sync'),
            program(
                'nova-manage', nova, 'cell_v2', 'map_cell0',
                '--database_connection', config.database(setup, 'nova_cell0'),
            ),
            program('nova-manage', nova, 'cell_v2', 'create_cell',
                    '--name', 'cell1'),
            program('nova-manage', nova, 'db', 'sync'),
        ],
        [neutron],
    ]  # fmt: skip


def _marker(setup: settings.Settings) -> pathlib.Path:
    return setup.state / 'schemas.done'


STAGES = [
    stages.Stage('configuration', _configure, lambda setup: False),
    stages.Stage(
        'database schemas',
        _migrate,
        lambda setup: _marker(setup).exists(),
    ),
]
