# SPDX-License-Identifier: Apache-2.0
"""The lab's commands; ``python3 -m lab --help`` lists them."""

import argparse
import os
import sys

from lab import demo
from lab import lock
from lab import settings
from lab import shell
from lab import stages
from lab import teardown
from lab.build import guest_image
from lab.build import host_image
from lab.build import mounts
from lab.build import tree
from lab.cloud import daemons
from lab.cloud import identity
from lab.cloud import schemas
from lab.cloud import services
from lab.guests import command as guests
from lab.hosts import checkout
from lab.hosts import machine
from lab.hosts import provision
from lab.network import namespace
from lab.scenarios import command as scenarios

STAGES = [
    *tree.STAGES,
    *mounts.STAGES,
    *namespace.STAGES,
    *guest_image.STAGES,
    *host_image.STAGES,
    *machine.STAGES,
    *daemons.STAGES,
    *schemas.STAGES,
    services.KEYSTONE,
    identity.USERS,
    *services.STAGES,
    *identity.STAGES,
    *provision.STAGES,
    *checkout.STAGES,
]


def up(setup: settings.Settings, options: argparse.Namespace) -> int:
    """bring the lab up, or what is missing of it"""
    stages.run(STAGES, setup)
    return 0


def down(setup: settings.Settings, options: argparse.Namespace) -> int:
    """end the lab: processes, mounts, network"""
    teardown.down(setup, wipe=options.wipe)
    return 0


def status(setup: settings.Settings, options: argparse.Namespace) -> int:
    """say which stages are done and what runs"""
    for stage in STAGES:
        there = _there(stage, setup)
        print(f'{"done" if there else "-":5} {stage.name}')
    for path in sorted(setup.run.glob('*.pid')):
        alive = shell.alive(setup, path.stem)
        print(f'{"runs" if alive else "ended":5} {path.stem}')
    return 0


def logs(setup: settings.Settings, options: argparse.Namespace) -> int:
    """name the logs, here and in the compute hosts, or show one"""
    local = {path.stem: path for path in setup.log.glob('*.log')}
    if not options.service:
        for name in sorted(local):
            print(f'{name:24} {local[name]}')
        for where in setup.hosts:
            for name in provision.LOGS:
                print(f'{where.name}/{name:19} python3 -m lab logs '
                      f'{where.name}/{name}')  # fmt: skip
        return 0
    where_name, _, name = options.service.rpartition('/')
    if where_name:
        where = setup.host(where_name)
        print(machine.ssh(setup, where, f'cat {provision.LOGS[name]}', 60))
    else:
        print(local[name].read_text())
    return 0


def ssh(setup: settings.Settings, options: argparse.Namespace) -> int:
    """run a command in a compute host, or a shell"""
    argv = machine.login(setup, setup.host(options.host))
    os.execvp(argv[0], [*argv, *options.words])


def openstack(setup: settings.Settings, options: argparse.Namespace) -> int:
    """run the ordinary client as admin"""
    argv = identity.client(setup, 'openstack', *options.arguments)
    os.execvp(argv[0], argv)


def sync(setup: settings.Settings, options: argparse.Namespace) -> int:
    """bring the checkout to the compute hosts"""
    checkout.sync(setup)
    return 0


def run_demo(setup: settings.Settings, options: argparse.Namespace) -> int:
    """from nothing to a report of a live migration there and back"""
    return demo.main(setup, options, STAGES)


def scenario(setup: settings.Settings, options: argparse.Namespace) -> int:
    """run a scenario by name"""
    return scenarios.main(setup, options.name, options.only, options.moves)


def run_guests(setup: settings.Settings, options: argparse.Namespace) -> int:
    """try each way of making a bond with each network manager"""
    return guests.main(setup, options)


COMMANDS = {
    'up': up,
    'down': down,
    'status': status,
    'logs': logs,
    'ssh': ssh,
    'openstack': openstack,
    'sync': sync,
    'demo': run_demo,
    'scenario': scenario,
    'guests': run_guests,
}
CHANGING = ('up', 'down', 'sync', 'demo', 'scenario', 'guests')


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog='python3 -m lab',
        description='Two compute hosts with emulated SR-IOV and a whole '
        'OpenStack in a closed network.',
    )
    commands = top.add_subparsers(dest='command', required=True)
    parsers = {
        name: commands.add_parser(name, help=function.__doc__)
        for name, function in COMMANDS.items()
    }
    parsers['down'].add_argument(
        '--wipe',
        action='store_true',
        help='also delete the lab, except what is cached',
    )
    parsers['logs'].add_argument('service', nargs='?')
    parsers['ssh'].add_argument('host')
    parsers['ssh'].add_argument(
        'words', metavar='command', nargs=argparse.REMAINDER
    )
    parsers['openstack'].add_argument('arguments', nargs=argparse.REMAINDER)
    demo.add_options(parsers['demo'])
    scenarios.add_options(parsers['scenario'])
    guests.add_options(parsers['guests'])
    return top


def main() -> int:
    """Run one command of the lab."""
    options = parser().parse_args()
    if os.geteuid() != 0:
        print('The lab needs root: it makes namespaces, mounts and taps.')
        return 2
    setup = settings.load()
    try:
        if options.command in CHANGING:
            with lock.held(setup):
                return COMMANDS[options.command](setup, options)
        return COMMANDS[options.command](setup, options)
    except (shell.Failed, LookupError) as exc:
        print(f'\nFailed: {exc}', file=sys.stderr)
        print(
            'Logs: python3 -m lab logs. Repeating the command goes on where '
            'it stopped; python3 -m lab down ends everything.',
            file=sys.stderr,
        )
        return 1


def _there(stage: stages.Stage, setup: settings.Settings) -> bool:
    """A stage whose state cannot be told is not done."""
    try:
        return stage.done(setup)
    except (shell.Failed, OSError):
        return False


if __name__ == '__main__':
    sys.exit(main())
