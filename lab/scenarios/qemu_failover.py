# SPDX-License-Identifier: Apache-2.0
"""A domain without Nova whose VF QEMU unplugs and plugs by itself.

Its standby is a macvtap on the PF, as those of the driver are in the lab. See
"teaming" in libvirt's documentation of the domain XML.
"""

import pathlib

from lab import settings
from lab.build import guest_image
from lab.hosts import config
from lab.hosts import machine
from lab.hosts import provision
from lab.observe import facts

UUID = '00000000-0000-4000-8000-0000000000fa'
MAC = 'fa:16:3e:0a:09:3c'
ADDRESS = '10.9.0.60'  # the guest takes the last byte of its MAC
FOLDER = f'/var/lib/nova/instances/{UUID}'
DISK = '/var/lib/nova/instances/lab-teaming.qcow2'
FUNCTION = 'bus="0x01" slot="0x10" function="0x0"'
ROOT_PORTS = 8
MIGRATE_SECONDS = 600

XML = f"""
<domain type="kvm">
  <name>lab-teaming</name>
  <uuid>{UUID}</uuid>
  <memory unit="MiB">256</memory>
  <vcpu>1</vcpu>
  <os><type arch="x86_64" machine="q35">hvm</type></os>
  <features><acpi/><apic/></features>
  <cpu mode="host-passthrough"><feature policy="disable" name="svm"/></cpu>
  <devices>
    <controller type="usb" model="none"/>
    <controller type="pci" index="0" model="pcie-root"/>
    <disk type="file" device="disk">
      <driver name="qemu" type="qcow2"/>
      <source file="{DISK}"/>
      <target dev="vda" bus="virtio"/>
      <readonly/>
    </disk>
    {'<controller type="pci" model="pcie-root-port"/>' * ROOT_PORTS}
    <interface type="direct">
      <mac address="{MAC}"/>
      <source dev="{config.PHYSICAL_FUNCTION}" mode="bridge"/>
      <model type="virtio"/>
      <alias name="ua-standby"/>
      <teaming type="persistent"/>
    </interface>
    <interface type="hostdev" managed="yes">
      <mac address="{MAC}"/>
      <source><address type="pci" domain="0x0000" {FUNCTION}/></source>
      <alias name="ua-primary"/>
      <teaming type="transient" persistent="ua-standby"/>
    </interface>
    <serial type="pty"><log file="{FOLDER}/console.log" append="off"/></serial>
    <rng model="virtio"><backend model="random">/dev/urandom</backend></rng>
    <memballoon model="none"/>
  </devices>
</domain>
"""


def boot(setup: settings.Settings, home: settings.Host) -> facts.Server:
    """Define and start it on a host; every host gets its disk."""
    image: pathlib.Path = guest_image.image(setup)
    for host in setup.hosts:
        machine.ssh(setup, host, f'mkdir -p {FOLDER}', 60)
        provision.put(setup, host, {DISK: image.read_bytes()}, '/')
    machine.ssh(
        setup,
        home,
        'cat > /run/lab-teaming.xml && virsh -q define /run/lab-teaming.xml '
        f'&& virsh -q start {UUID}',
        300,
        input=XML,
    )
    return facts.Server(UUID, ADDRESS, (MAC,))


def migrate(
    setup: settings.Settings, home: settings.Host, there: settings.Host
) -> str:
    """Migrate it with its VF attached, and return what virsh said."""
    return machine.ssh(
        setup,
        home,
        f'timeout {MIGRATE_SECONDS} virsh migrate --live --p2p --persistent '
        f'--undefinesource {UUID} qemu+tcp://{there.address}/system 2>&1 '
        '|| true',
        MIGRATE_SECONDS + 60,
    )


def destroy(setup: settings.Settings, home: settings.Host) -> None:
    """End it, and take away what it has left in any host."""
    for host in setup.hosts:
        machine.ssh(
            setup,
            host,
            f'virsh -q destroy {UUID}; virsh -q undefine {UUID}; '
            f'rm -rf {FOLDER} {DISK}',
            120,
        )
