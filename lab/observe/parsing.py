# SPDX-License-Identifier: Apache-2.0
"""Read what compute hosts and guests print into facts of the verdict."""

import collections.abc
import json
import re
import xml.etree.ElementTree as ElementTree

from lab.judge import verdict

SAID = 'pt-guest links '  # what the guest's own line about its links has

# One script for all of a host: every call over ssh costs seconds.
# A section starts with a line of '== NAME'.
SCRIPT = """
echo '== live'; virsh -q dumpxml {server} 2>/dev/null
echo '== persistent'; virsh -q dumpxml --inactive {server} 2>/dev/null
echo '== standbys'
for link in /sys/class/net/pts*; do
  test ! -e "$link" || echo "${{link##*/}} $(cat "$link/flags")"
done
echo '== console'
grep -a '{said}' /var/lib/nova/instances/{server}/console.log | tail -n 1
for pf in /sys/class/net/*/device/sriov_numvfs; do
  test "$(cat "$pf")" -gt 0 || continue
  device=${{pf%/sriov_numvfs}}
  echo '== functions'
  for vf in "$device"/virtfn*; do
    echo "${{vf##*virtfn}} $(basename "$(readlink "$vf")")"
  done
  name=${{device%/device}}; name=${{name##*/}}
  echo '== filters'; ip -j link show dev "$name"
  echo '== taken'; bridge fdb show dev "$name" | grep -w self
done
"""

_LINK = re.compile(r'(\w+)=([\w-]+)/([0-9a-f:]{17})')


def host(name: str, printed: str) -> verdict.HostFacts:
    """Read what SCRIPT printed on a host."""
    parts = sections(printed)
    live = ''.join(parts.get('live', []))
    persistent = ''.join(parts.get('persistent', []))
    return verdict.HostFacts(
        name=name,
        domain=bool(live or persistent),
        live=devices(live),
        persistent=devices(persistent),
        filters=filters(
            parts.get('functions', []), ''.join(parts.get('filters', []))
        ),
        standbys=standbys(parts.get('standbys', [])),
        taken=tuple(line.split()[0] for line in parts.get('taken', [])),
        links=links('\n'.join(parts.get('console', []))),
    )


def script(server: str) -> str:
    """Return the script that shows what a host has of a server."""
    return SCRIPT.format(server=server, said=SAID)


def sections(printed: str) -> dict[str, list[str]]:
    """Cut a text at its lines of '== NAME'."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in printed.splitlines():
        if line.startswith('== '):
            lines = found.setdefault(line.removeprefix('== '), [])
        else:
            lines.append(line)
    return found


def devices(xml: str) -> tuple[str, ...]:
    """Give the host addresses of the PCI devices in a domain XML."""
    if not xml:
        return ()
    # The XML is libvirt's, from a host that this lab made.
    domain = ElementTree.fromstring(xml)  # noqa: S314
    sources = [
        *domain.iterfind("devices/interface[@type='hostdev']/source/address"),
        *domain.iterfind("devices/hostdev[@type='pci']/source/address"),
    ]
    return tuple(sorted(_address(source) for source in sources))


def filters(
    functions: collections.abc.Iterable[str], printed: str
) -> dict[str, str]:
    """Give the admin MAC of each VF by its address."""
    addresses = dict(line.split() for line in functions)
    if not printed:
        return {}
    return {
        addresses[str(vf['vf'])]: vf['address']
        for link in json.loads(printed)
        for vf in link.get('vfinfo_list', ())
    }


def standbys(lines: collections.abc.Iterable[str]) -> dict[str, bool]:
    """Give of each standby's netdev whether it is on (IFF_UP)."""
    return {
        name: bool(int(flags, 16) & 1)
        for name, flags in (line.split() for line in lines)
    }


def links(console: str) -> tuple[verdict.Link, ...]:
    """Give the links of the last line in which the guest shows them."""
    lines = [line for line in console.splitlines() if SAID in line]
    if not lines:
        return ()
    said = lines[-1].split(SAID, 1)[1]
    active = set(re.findall(r'active=(\S+)', said))
    return tuple(
        verdict.Link(name, driver, mac, name in active)
        for name, driver, mac in _LINK.findall(said)
    )


def _address(source: ElementTree.Element) -> str:
    domain, bus, slot, function = (
        int(source.get(part, '0'), 16)
        for part in ('domain', 'bus', 'slot', 'function')
    )
    return f'{domain:04x}:{bus:02x}:{slot:02x}.{function:x}'
