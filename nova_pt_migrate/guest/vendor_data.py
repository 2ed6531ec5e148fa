# SPDX-License-Identifier: Apache-2.0
"""What a guest gets for its pairs when it boots for the first time.

::

    python -m nova_pt_migrate.guest.vendor_data > /etc/nova/vendor_data.json

is named by ``[api] vendordata_jsonfile_path`` of nova-api and of the compute
hosts. cloud-init runs the script once for each new server; it finds the pairs
by the permanent MAC addresses of its NICs, so that it is the same for all
servers, and does nothing where there is none. The bonds get their addresses by
DHCP and by what routers advertise. A NIC that cloud-init was told to give an
address is left as it is. Where cloud-init does not write down what it was told
(before 23.2), so is one with an address that is valid for ever and is not seen
to come from a router: no DHCP server gives such.

A guest with a link of net_failover gets what keeps its network manager from
the slaves. cloud-init runs the script when that has begun to manage them, so
that the first boot is repaired by it.
"""

from collections.abc import Sequence
import json
import shlex

from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import slaves
from nova_pt_migrate.guest.networks import contract
from nova_pt_migrate.guest.networks import ifupdown
from nova_pt_migrate.guest.networks import networkd
from nova_pt_migrate.guest.networks import networkmanager

NETWORKS: tuple[contract.GuestNetwork, ...] = (
    networkmanager.NetworkManager(),
    networkd.Networkd(),
    ifupdown.Ifupdown(),
)
"""In the order in which they are asked whether they are in charge."""
TOKENS = contract.WantedBond(
    name='@BOND@',
    mac='@MAC@',
    standby_mac='@TWIN@',
    device='@DEVICE@',
    standby='@STANDBY@',
    mtu='@MTU@',
    metric='@METRIC@',
)
"""What the script replaces by what it finds."""

_SCRIPT = """\
#!/bin/sh
# Makes a bond of each NIC that was passed through and its standby.
# From nova-pt-migrate, by the vendor data of the cloud.
PATH=${{PT_PATH:-}}/usr/sbin:/usr/bin:/sbin:/bin
ROOT=${{PT_ROOT:-}}
NET=$ROOT/sys/class/net
BOND= MAC= TWIN= DEVICE= STANDBY= MTU= METRIC=

permanent() {{
    cat "$NET/$1/bonding_slave/perm_hwaddr" 2>/dev/null ||
        cat "$NET/$1/address"
}}

driver() {{
    link=$(readlink "$NET/$1/device/driver") && echo "${{link##*/}}"
}}

say() {{
    echo "nova-pt-migrate: $*" >&2
}}

put() {{
    file=$(echo "$ROOT$1" | fill)
    mkdir -p "${{file%/*}}"
    fill >"$file.new" && chmod "$2" "$file.new" && mv "$file.new" "$file"
}}

fill() {{
    sed -e "s/@BOND@/$BOND/g" -e "s/@MAC@/$MAC/g" -e "s/@TWIN@/$TWIN/g" \\
        -e "s/@DEVICE@/$DEVICE/g" -e "s/@STANDBY@/$STANDBY/g" \\
        -e "s/@MTU@/$MTU/g" -e "s/@METRIC@/$METRIC/g"
}}

kept() {{
    [ ! -r "$ROOT{told}" ] || {{
        python3 - "$ROOT{told}" "$MAC" <<'END'
{fixed}END
        return
    }}
    ip -o address show dev "$DEVICE" scope global permanent 2>/dev/null |
        while read -r _ _ _ address words; do
            case " $words " in
                *' mngtmpaddr '* | *' proto kernel_ra '*) ;;
                *) echo "$address" ;;
            esac
        done
}}

metric() {{
    for nic in "$BOND" "$DEVICE"; do
        set -- $(ip -4 route show dev "$nic" 2>/dev/null)
        while [ $# -gt 1 ]; do
            [ "$1" != metric ] || {{ echo "$2"; return; }}
            shift
        done
    done
    echo 1024
}}

active() {{
    systemctl -q is-active "$1"
}}

{functions}
pair() {{
    set -- $(kept)
    [ $# = 0 ] || {{
        say "$DEVICE has $1, which is not by DHCP; $BOND is not made"
        return
    }}
    MTU=$(cat "$NET/$STANDBY/mtu" 2>/dev/null || echo 1500)
    METRIC=$(metric)
    {choices}
    say "no network manager that is known is in charge; $BOND is not made"
}}

is_slave() {{
    PT_ROOT=$ROOT /bin/sh "$ROOT{helper}" "$1"
}}

leave_slaves() {{
{slaves}
    [ -z "$ROOT" ] || return 0
    udevadm control --reload
    for path in "$NET"/*; do
        ! is_slave "${{path##*/}}" ||
            udevadm trigger --action=change "$path"
    done
    udevadm settle --timeout=30
    ! active systemd-networkd.service || networkctl reload
    for path in "$NET"/*; do
        SLAVE=${{path##*/}}
        is_slave "$SLAVE" || continue
        ip address flush dev "$SLAVE"
        ip link set dev "$SLAVE" up
        master=$(readlink "$path/master" || :)
        ! active systemd-networkd.service ||
            networkctl reconfigure "${{master##*/}}"
    done
}}

! grep -qsx sby "$NET"/*/phys_port_name || leave_slaves
for path in "$NET"/*; do
    STANDBY=${{path##*/}}
    [ "$(driver "$STANDBY")" = virtio_net ] || continue
    TWIN=$(permanent "$STANDBY")
    first=${{TWIN%%:*}}
    MAC=$(printf '%02x:%s' $((0x$first ^ {twin})) "${{TWIN#*:}}")
    for other in "$NET"/*; do
        DEVICE=${{other##*/}}
        case $(driver "$DEVICE") in '' | virtio_net) continue ;; esac
        [ "$(permanent "$DEVICE")" = "$MAC" ] || continue
        BOND={prefix}$(echo "${{MAC#*:*:*:}}" | tr -d :)
        master=$(readlink "$NET/$DEVICE/master" || :)
        case ${{master##*/}} in
            '' | "$BOND") pair ;;
            *) say "$DEVICE is in ${{master##*/}}; $BOND is not made" ;;
        esac
    done
done
"""
_TOLD = '/run/cloud-init/network-config.json'
_FIXED = """\
import json
import sys

with open(sys.argv[1]) as file:
    told = json.load(file) or {}
for nic in told.get("network", told).get("config", []):
    if str(nic.get("mac_address", "")).lower() == sys.argv[2]:
        for subnet in nic.get("subnets", []):
            if subnet.get("type", "").startswith("static"):
                print(subnet.get("address", "an address"))
"""
_FUNCTION = """\
make_{name}() {{
{files}
    [ -n "$ROOT" ] || {{
        {apply}
    }}
}}
"""
_FILE = """\
    put {path} {mode:o} <<'END'
{content}END"""
_IFUPDOWN = """\
others() {
    S=[[:space:]]
    NICS="$S(.*$S)?($DEVICE|$STANDBY)"
    grep -lsE -e "^$S*(mapping|bond-slaves|slaves)$NICS($S|$)" \\
        -e "^$S*(auto|allow-[^[:space:]]+)$NICS=" \\
        "$ROOT/etc/network/interfaces" "$ROOT"/etc/network/interfaces.d/* |
        grep -v pt-bond
}
"""


def script(networks: Sequence[contract.GuestNetwork] = NETWORKS) -> str:
    """Return the script that a guest runs."""
    functions = ''.join(_function(network) for network in networks)
    return _SCRIPT.format(
        functions=functions + _IFUPDOWN,
        choices='\n    '.join(_choice(network) for network in networks),
        twin=pairs.TWIN,
        told=_TOLD,
        helper=slaves.HELPER,
        slaves='\n'.join(_put(file) for file in slaves.FILES),
        fixed=_FIXED,
        prefix=contract.PREFIX,
    )


def document() -> str:
    """Return the vendor data as Nova wants it."""
    return json.dumps({'cloud-init': script()}, indent=1)


def _name(network: contract.GuestNetwork) -> str:
    return type(network).__name__.lower()


def _function(network: contract.GuestNetwork) -> str:
    files = '\n'.join(_put(file) for file in network.files(TOKENS))
    apply = '\n        '.join(
        _words(program) for program in network.apply(TOKENS)
    )
    return _FUNCTION.format(name=_name(network), files=files, apply=apply)


def _put(file: contract.File) -> str:
    return _FILE.format(path=file.path, mode=file.mode, content=file.content)


def _choice(network: contract.GuestNetwork) -> str:
    make = f'make_{_name(network)}'
    if isinstance(network, ifupdown.Ifupdown):
        make = (
            f'{{ files=$(others) && '
            f'say "$files takes $DEVICE elsewhere; $BOND is not made" || '
            f'{make}; }}'
        )
    return f'active {network.unit} && {{ {make}; return; }}'


def _words(program: Sequence[str]) -> str:
    """Return a command of the shell whose tokens are its variables."""
    return ' '.join(
        f'"{_variables(word)}"' if '@' in word else shlex.quote(word)
        for word in program
    )


def _variables(word: str) -> str:
    for token in ('BOND', 'MAC', 'TWIN', 'DEVICE', 'STANDBY'):
        word = word.replace(f'@{token}@', f'${{{token}}}')
    return word


if __name__ == '__main__':
    print(document())
