# SPDX-License-Identifier: Apache-2.0
"""What leaves the slaves of a net_failover link alone in a guest.

The kernel makes one link of a NIC that was passed through and its standby, and
all three have one MAC address. A network manager that tells NICs by that takes
the device for the link, and the guest has no network as soon as it leaves.
Nothing in udev's database tells a slave, so a rule does: the standby has the
port name ``sby`` (drivers/net/virtio_net.c, virtnet_get_phys_port_name), and
the device is the NIC with another driver and the standby's address.

NetworkManager passes over what has ``NM_UNMANAGED`` (its 85-nm-unmanaged
rules), systemd-networkd what a file says is ``Unmanaged``. Names are by MAC
address as well: netplan writes a ``.link`` file and a rule for ``set-name``,
and cloud-init a rule where ifupdown is in charge (70-persistent-net). Of all
such files that match the first by name counts, and of all rules the last, so
that ours keep a slave from getting the name of the link.

::

    python -m nova_pt_migrate.guest.slaves /mnt

puts them into an image that is mounted there, whose guests are right from
their first boot.
"""

import pathlib
import sys

from nova_pt_migrate.guest.networks import contract

HELPER = '/etc/udev/pt-failover'
RULES = '/etc/udev/rules.d/70-pt-failover.rules'
"""Before 80-net-setup-link, which looks for ``.link`` files."""
NAMES = '/etc/udev/rules.d/99-pt-failover.rules'
"""After 99-netplan."""
NETWORK = '/etc/systemd/network/05-pt-failover.network'
LINK = '/etc/systemd/network/05-pt-failover.link'

_HELPER = """\
#!/bin/sh
# pt-failover NIC: succeeds if it is under a link of net_failover.
# pt-failover NIC others: lets udev look again at those with its address.
net=${PT_ROOT:-}/sys/class/net

standby() {
    [ "$(cat "$net/$1/phys_port_name" 2>/dev/null)" = sby ]
}

passed_through() {
    driver=$(readlink "$net/$1/device/driver") &&
        [ "${driver##*/}" != virtio_net ]
}

same() {
    [ "$(cat "$net/$1/address")" = "$(cat "$net/$2/address")" ]
}

if [ "${2:-}" = others ]; then
    for path in "$net"/*; do
        other=${path##*/}
        passed_through "$other" && same "$1" "$other" &&
            echo change >"$path/uevent"
    done
    exit 0
fi
standby "$1" && exit 0
passed_through "$1" || exit 1
for path in "$net"/*; do
    standby "${path##*/}" && same "$1" "${path##*/}" && exit 0
done
exit 1
"""
_RULES = f"""\
# Leaves NICs alone that are under a link of net_failover.
SUBSYSTEM!="net", GOTO="pt_failover_end"
ACTION=="remove", GOTO="pt_failover_end"
PROGRAM=="/bin/sh {HELPER} %k", \\
    ENV{{PT_FAILOVER}}="slave", ENV{{NM_UNMANAGED}}="1"
ACTION=="add", ATTR{{phys_port_name}}=="sby", \\
    RUN+="/bin/sh {HELPER} %k others"
LABEL="pt_failover_end"
"""
_NAMES = """\
# Keeps the name of the link above them from those NICs.
SUBSYSTEM=="net", ENV{PT_FAILOVER}=="slave", ENV{ID_NET_NAME}=="?*", \\
    NAME="$env{ID_NET_NAME}"
"""
_NETWORK = """\
[Match]
Property=PT_FAILOVER=slave

[Link]
Unmanaged=yes
"""
_LINK = """\
[Match]
Property=PT_FAILOVER=slave

[Link]
NamePolicy=keep kernel database onboard slot path
MACAddressPolicy=none
"""
FILES = (
    contract.File(HELPER, _HELPER),
    contract.File(RULES, _RULES),
    contract.File(NAMES, _NAMES),
    contract.File(NETWORK, _NETWORK),
    contract.File(LINK, _LINK),
)
"""All of them; they are the same in every guest."""


def put(root: pathlib.Path) -> None:
    """Write them below a folder.

    :raises OSError: some may be there
    """
    for file in FILES:
        path = root / file.path.lstrip('/')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        path.chmod(file.mode)


if __name__ == '__main__':
    put(pathlib.Path(sys.argv[1]))
