# SPDX-License-Identifier: Apache-2.0
"""Users, services and endpoints; the network, flavor and image of the lab.

The clients live in the tree, so this module is also a program that runs
there: ``python -m lab.cloud.identity users`` and ``... cloud IMAGE``.
"""

import pathlib
import sys
import typing

from lab import settings
from lab import shell
from lab import stages
from lab.build import guest_image
from lab.cloud import config
from lab.network import namespace

SERVICES = {
    'nova': ('compute', '/v2.1'),
    'placement': ('placement', ''),
    'glance': ('image', ''),
    'neutron': ('network', ''),
}
NETWORK = 'data1'
VLAN_NETWORK = 'data1-vlan'
FLAVORS = {
    'lab.small': {},
    'lab.failover': {'pt_migrate:pairing': 'failover'},
    'lab.bond': {
        'pt_migrate:pairing': 'bond',
        'pt_migrate:bond': 'observe',
    },
}
IMAGE = 'lab-guest'

Cloud = typing.Any  # openstacksdk is not typed


def environment(setup: settings.Settings) -> dict[str, str]:
    """Return the variables that the ordinary clients read."""
    return {
        'OS_AUTH_URL': config.url(setup, 'keystone', '/v3'),
        'OS_USERNAME': 'admin',
        'OS_PASSWORD': config.PASSWORD,
        'OS_PROJECT_NAME': 'admin',
        'OS_USER_DOMAIN_ID': 'default',
        'OS_PROJECT_DOMAIN_ID': 'default',
        'OS_IDENTITY_API_VERSION': '3',
        'OS_REGION_NAME': 'RegionOne',
        'OS_COMPUTE_API_VERSION': '2.95',
        'OS_PLACEMENT_API_VERSION': '1.39',
        'LC_ALL': 'C.UTF-8',
    }


def client(setup: settings.Settings, *argv: str) -> list[str]:
    """Return the command that runs a client of the tree as admin."""
    variables = [f'{k}={v}' for k, v in environment(setup).items()]
    return shell.inside(
        setup,
        ['env', f'--chdir={setup.checkout}', *variables,
         f'PT_LAB_DIR={setup.folder}',
         f'{setup.venv}/bin/{argv[0]}', *argv[1:]],
    )  # fmt: skip


def users(cloud: Cloud, setup: settings.Settings, _image: str) -> None:
    """Make what each service needs to be found and to log in."""
    identity = cloud.identity
    project = identity.find_project('service') or identity.create_project(
        name='service', domain_id='default'
    )
    roles = [
        identity.find_role(name) or identity.create_role(name=name)
        for name in ('admin', 'service')
    ]
    for name, (kind, path) in SERVICES.items():
        user = identity.find_user(name) or identity.create_user(
            name=name, password=config.PASSWORD, domain_id='default'
        )
        for role in roles:
            identity.assign_project_role_to_user(project, user, role)
        if identity.find_service(name) is None:
            service = identity.create_service(name=name, type=kind)
            for interface in ('public', 'internal', 'admin'):
                identity.create_endpoint(
                    service_id=service.id,
                    interface=interface,
                    url=config.url(setup, name, path),
                    region_id='RegionOne',
                )


def furnish(cloud: Cloud, setup: settings.Settings, image: str) -> None:
    """Make the networks, the flavors and the guest's image from a file."""
    _network(cloud, NETWORK, namespace.NETS, provider_network_type='flat')
    _network(
        cloud,
        VLAN_NETWORK,
        (namespace.VLAN_NET,),
        provider_network_type='vlan',
        provider_segmentation_id=namespace.VLAN,
    )
    for name, specs in FLAVORS.items():
        if cloud.compute.find_flavor(name) is None:
            flavor = cloud.compute.create_flavor(
                name=name, ram=256, vcpus=1, disk=1
            )
            if specs:
                cloud.compute.create_flavor_extra_specs(flavor, specs)
    present = cloud.image.find_image(IMAGE)
    content = pathlib.Path(image).stem
    if present is not None and present.properties.get('guest') != content:
        cloud.image.delete_image(present)
        present = None
    if present is None:
        upload(cloud, IMAGE, image)


def _network(
    cloud: Cloud, name: str, nets: tuple[str, ...], **provider: object
) -> None:
    """Make a network with its nets, or what is missing of it."""
    found = cloud.network.find_network(name)
    if found is None:
        found = cloud.network.create_network(
            name=name,
            is_shared=True,
            is_port_security_enabled=False,
            provider_physical_network=config.PHYSNET,
            **provider,
        )
    there = {subnet.cidr for subnet in cloud.network.subnets()}
    for net in nets:
        if f'{net}.0/24' not in there:
            cloud.network.create_subnet(
                network_id=found.id,
                name=net,
                ip_version=4,
                cidr=f'{net}.0/24',
                is_dhcp_enabled=False,
                gateway_ip=None,
                allocation_pools=[{'start': f'{net}.50', 'end': f'{net}.250'}],
            )


def upload(cloud: Cloud, name: str, image: str) -> None:
    """Make an image of a guest from a file."""
    cloud.image.create_image(
        name,
        guest=pathlib.Path(image).stem,
        filename=image,
        disk_format='qcow2',
        container_format='bare',
        visibility='public',
        hw_machine_type='q35',
        hw_qemu_guest_agent='yes',
        hw_rng_model='virtio',
    )


def _program(word: str) -> typing.Callable[[settings.Settings], None]:
    def run(setup: settings.Settings) -> None:
        shell.run(
            client(
                setup, 'python', '-m', 'lab.cloud.identity', word,
                str(guest_image.image(setup)),
            ),
            timeout=300,
            log=setup.log / 'identity.log',
        )  # fmt: skip
        _mark(setup, word).touch()

    return run


def _done(word: str) -> typing.Callable[[settings.Settings], bool]:
    return lambda setup: _mark(setup, word).exists()


def _mark(setup: settings.Settings, word: str) -> pathlib.Path:
    """Return the file that tells that it was done, with this guest."""
    return setup.state / f'{word}-{guest_image.image(setup).stem}.done'


USERS = stages.Stage(
    'users, services, endpoints', _program('users'), _done('users')
)
STAGES = [
    stages.Stage('network, flavors, image', _program('cloud'), _done('cloud'))
]

if __name__ == '__main__':
    import openstack

    action = {'users': users, 'cloud': furnish}[sys.argv[1]]
    action(openstack.connect(), settings.load(), sys.argv[2])
