# SPDX-License-Identifier: Apache-2.0
"""MariaDB and RabbitMQ, from the tree, in the closed network."""

from lab import settings
from lab import shell
from lab import stages
from lab.cloud import config

NAMES = ('mariadb', 'rabbit', 'epmd')


def sql(setup: settings.Settings, statements: str) -> str:
    """Run SQL as the databases' administrator and return the rows."""
    return shell.run(
        shell.chroot(
            setup,
            ['mariadb', f'--socket={_socket(setup)}', '-uroot',
             f'-p{config.PASSWORD}', '-N', '-B'],
        ),
        timeout=60,
        input=statements,
    )  # fmt: skip


def listening(setup: settings.Settings, port: int) -> bool:
    """True if something in the closed network listens on the port."""
    lines = shell.run(
        shell.in_netns(setup, ['ss', '-Hltn', f'sport = :{port}']),
        timeout=30,
    )
    return bool(lines.strip())


def _socket(setup: settings.Settings) -> str:
    return str(setup.run / 'mysql.sock')


def _mariadb(setup: settings.Settings) -> None:
    data = setup.state / 'mysql'
    fresh = not (data / 'mysql').is_dir()
    data.mkdir(parents=True, exist_ok=True)
    for folder in (setup.folder, setup.run, setup.state):
        folder.chmod(0o755)
    setup.run.chmod(0o777)
    if fresh:
        shell.run(
            shell.chroot(setup, ['chown', 'mysql', str(data)]), timeout=30
        )
        shell.run(
            shell.chroot(
                setup,
                ['mariadb-install-db', '--no-defaults', '--user=mysql',
                 f'--datadir={data}', '--skip-test-db',
                 '--auth-root-authentication-method=normal'],
            ),
            timeout=120,
            log=setup.log / 'mariadb.log',
        )  # fmt: skip
    init = setup.etc / 'mariadb-init.sql'
    init.parent.mkdir(parents=True, exist_ok=True)
    init.write_text(
        ''.join(
            f"CREATE USER IF NOT EXISTS root@'{host}';\n"
            f"ALTER USER root@'{host}' IDENTIFIED BY '{config.PASSWORD}';\n"
            f"GRANT ALL ON *.* TO root@'{host}' WITH GRANT OPTION;\n"
            for host in ('localhost', '%')
        )
    )
    shell.spawn(
        setup,
        'mariadb',
        shell.inside(
            setup,
            ['mariadbd', '--no-defaults', '--user=mysql',
             f'--datadir={data}', f'--socket={_socket(setup)}',
             f'--pid-file={data}/pid', f'--init-file={init}',
             '--max-connections=600', '--innodb-buffer-pool-size=128M',
             '--innodb-flush-log-at-trx-commit=0', '--skip-log-bin',
             '--innodb-flush-method=nosync', '--skip-name-resolve',
             '--character-set-server=utf8mb3'],
        ),
    )  # fmt: skip
    shell.wait_for(
        'MariaDB',
        lambda: listening(setup, config.PORTS['mariadb']),
        120,
    )


def _rabbit(setup: settings.Settings) -> None:
    data = setup.state / 'rabbit'
    data.mkdir(parents=True, exist_ok=True)
    (data / 'rabbitmq.conf').write_text(
        f'listeners.tcp.1 = {setup.control}:{config.PORTS["rabbit"]}\n'
        f'loopback_users = none\nlog.console = true\nlog.file = false\n'
        f'disk_free_limit.absolute = 50MB\n'
        f'vm_memory_high_watermark.absolute = 512MB\n'
    )
    (data / 'enabled_plugins').write_text('[].')
    shell.run(
        shell.chroot(setup, ['chown', '-R', 'rabbitmq', str(data)]),
        timeout=30,
    )
    environment = {
        'HOME': data,
        'HOSTNAME': 'localhost',
        'LC_ALL': 'C.UTF-8',
        'RABBITMQ_NODENAME': 'lab@localhost',
        'RABBITMQ_MNESIA_BASE': data / 'mnesia',
        'RABBITMQ_LOG_BASE': data / 'log',
        'RABBITMQ_CONFIG_FILE': data / 'rabbitmq',
        'RABBITMQ_ENABLED_PLUGINS_FILE': data / 'enabled_plugins',
        'RABBITMQ_CONF_ENV_FILE': '/dev/null',
        'ERL_EPMD_ADDRESS': '127.0.0.1',
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS':
            '-kernel inet_dist_use_interface {127,0,0,1} '
            '+sbwt none +sbwtdcpu none +sbwtdio none +S 1:1',
    }  # fmt: skip
    program = ['env', *(f'{k}={v}' for k, v in environment.items())]
    as_user = ['setpriv', '--reuid', 'rabbitmq', '--regid', 'rabbitmq',
               '--clear-groups']  # fmt: skip
    shell.spawn(
        setup,
        'epmd',
        shell.inside(
            setup,
            [*as_user, 'env', 'ERL_EPMD_ADDRESS=127.0.0.1', '/usr/bin/epmd'],
        ),
    )
    shell.spawn(
        setup,
        'rabbit',
        shell.inside(
            setup,
            [*as_user, *program, '/usr/lib/rabbitmq/bin/rabbitmq-server'],
        ),
    )
    shell.wait_for(
        'RabbitMQ', lambda: listening(setup, config.PORTS['rabbit']), 120
    )


STAGES = [
    stages.Stage(
        'MariaDB', _mariadb, lambda setup: shell.alive(setup, 'mariadb')
    ),
    stages.Stage(
        'RabbitMQ', _rabbit, lambda setup: shell.alive(setup, 'rabbit')
    ),
]
