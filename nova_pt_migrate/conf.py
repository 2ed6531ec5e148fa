# SPDX-License-Identifier: Apache-2.0
"""The options of group ``[pt_migrate]`` in nova.conf."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'pt_migrate',
    title='Live migration of servers with pass-through devices',
    help="""
Options of the compute driver ``pt_migrate.PassthroughLibvirtDriver``. They
are read by nova-compute when it starts.
""",
)

OPTS: list[cfg.Opt] = [
    cfg.FloatOpt(
        'unplug_timeout',
        default=60.0,
        min=0.1,
        max=3600.0,
        help="""
Seconds that a guest has to release its pass-through devices.

All devices of a server are asked for at once and share this deadline. When it
passes, the live migration fails and the server stays on the source host with
all its devices. Change it when guests with slow drivers, or many devices that
are released one after the other, need longer.

Possible values:

* Any number of seconds from 0.1 to 3600.

Related options:

* ``[pt_migrate] unplug_retry_interval``
""",
    ),
    cfg.FloatOpt(
        'unplug_retry_interval',
        default=5.0,
        min=0.1,
        max=600.0,
        help="""
Seconds between two requests to a guest to release one device.

A guest that is still booting loses a request, so it is repeated until
``unplug_timeout`` has passed. A repeated request does no harm. There is
hardly a reason to change it.

Possible values:

* Any number of seconds from 0.1 to 600. A value above ``unplug_timeout``
  means one request only.

Related options:

* ``[pt_migrate] unplug_timeout``
""",
    ),
    cfg.FloatOpt(
        'plug_timeout',
        default=60.0,
        min=1.0,
        max=3600.0,
        help="""
Seconds that plugging one device into a guest may take, without the part that
grows with the guest's memory.

When it passes, the other devices of the server are still plugged, and the
server runs without the one that did not come. Change it when the log shows
that devices come later than this.

The rehearsal of all devices of a server before a live migration may take as
long, without that part; when it passes, this host is refused.

Possible values:

* Any number of seconds from 1 to 3600.

Related options:

* ``[pt_migrate] plug_timeout_per_gib``
""",
    ),
    cfg.FloatOpt(
        'plug_timeout_per_gib',
        default=2.0,
        min=0.0,
        max=60.0,
        help="""
Seconds added to ``plug_timeout`` for each GiB of the guest's memory.

VFIO pins all memory of the guest before the first device is there; after a
live migration most of it has to be found first. Lower it for guests on huge
pages, raise it on hosts with slow memory.

Possible values:

* Any number of seconds from 0 to 60.

Related options:

* ``[pt_migrate] plug_timeout``
""",
    ),
    cfg.FloatOpt(
        'claim_lease_interval',
        default=10.0,
        min=0.5,
        max=600.0,
        help="""
Seconds between two looks at what a live migration may have left behind.

This host looks for devices that are claimed here for servers of which no
live migration is under way, and frees them; and again for the end of
migrations whose nova-compute was interrupted. A shorter interval frees them
sooner and asks the database more often. There is hardly a reason to change
it.

Possible values:

* Any number of seconds from 0.5 to 600.
""",
    ),
    cfg.BoolOpt(
        'allow_stock_destination',
        default=False,
        help="""
Migrate servers with pass-through devices to hosts with Nova's own driver, too.

Set it on a source host only as long as some hosts have not been upgraded yet
or are being downgraded. On such a host Nova's own driver attaches the devices:
if one cannot be attached the server goes into ERROR, the devices may have
other PCI addresses in the guest, and the contract of this driver does not
hold. By default the migration is refused and Nova tries the next host.

Possible values:

* ``False``: only hosts with this driver.
* ``True``: any host. From hosts with Nova's own driver to this one servers
  migrate anyway.
""",
    ),
    cfg.ListOpt(
        'pairings',
        default=['none', 'failover', 'bond'],
        help="""
Names of the pairings that this host may use; the first is the default.

A pairing makes one link of a pass-through NIC and its standby for the guest.
Flavors choose one with extra spec ``pt_migrate:pairing``. A name that no
installed package provides, or that two provide, stops the service. Put
another one first when most servers of this cloud want it; set the same list
on all hosts.

Possible values:

* A list of entry points of group ``nova_pt_migrate.pairings``. This package
  provides ``none``: the device is unplugged and plugged again, and what the
  guest does meanwhile is the guest's own affair; ``failover``: the guest's
  kernel joins the two; ``bond``: a bond in the guest does.

Related options:

* ``[pt_migrate] standby``, ``[pt_migrate] standby_uplinks``
""",
    ),
    cfg.StrOpt(
        'standby',
        default='required',
        choices=[
            ('required', 'Without one the server stays, and is told why.'),
            ('preferred', 'Without one it moves; that is recorded.'),
            ('none', 'No server has one.'),
        ],
        help="""
How much a server's standby matters, where its flavor does not say.

Set it to ``preferred`` while servers that were started without a standby are
still to be drained. Flavors choose with extra spec ``pt_migrate:standby``.
""",
    ),
    cfg.StrOpt(
        'bond',
        default='prepare',
        choices=[
            ('prepare', 'The guest, by vendor data when it first boots.'),
            ('observe', 'Its administrator.'),
            ('manage', 'This host, through the guest agent.'),
        ],
        help="""
Who makes the bond of pairing ``bond``, where the flavor does not say.

Flavors choose with extra spec ``pt_migrate:bond``. Nothing is written in a
guest unless it is ``manage``.
""",
    ),
    cfg.ListOpt(
        'guest_networks',
        default=['networkmanager', 'systemd-networkd', 'ifupdown'],
        help="""
Network managers of guests in whose form bonds may be made here.

Only for servers with pairing ``bond`` and ``manage`` (``[pt_migrate] bond``).
The first one whose unit is active in the guest is told of the bond; a guest
with none of them is left alone. Leave a name out to let guests with that
manager alone.

Possible values:

* A list of entry points of group ``nova_pt_migrate.guest_networks``. This
  package provides ``networkmanager``, ``systemd-networkd`` (also for netplan)
  and ``ifupdown``.

Related options:

* ``[pt_migrate] bond``
""",
    ),
    cfg.DictOpt(
        'standby_uplinks',
        default={},
        help="""
Where the standbys of a physical network hang on this host.

A server whose pairing needs a standby gets one that this driver makes, unless
a second port of the server is its standby. It is connected with the network
of the pass-through port by what is named here, with the VLAN that the port is
bound to. A physical network that is not here has no standbys.

Possible values:

* A list of ``<physical network>:<kind>/<netdev>``, where the kind is
  ``bridge`` (a Linux bridge; for VLANs it needs ``vlan_filtering``), ``ovs``
  (a bridge of Open vSwitch) or ``macvtap`` (a NIC that is in no bridge, which
  may be the PF itself unless it is passed through whole). For example:
  ``physnet1:bridge/br-ext,physnet2:macvtap/ens2``.

Related options:

* ``[pt_migrate] mac_filters``
""",
    ),
    cfg.StrOpt(
        'mac_filters',
        default='one',
        choices=[
            ('one', 'A MAC address is with the PF or with a VF, never both.'),
            ('both', 'The NIC gives frames to both, so that none is lost.'),
        ],
        help="""
What the NICs of this host do with an address that the PF and a VF share.

Only where a standby hangs on a bridge over the PF of its VF. ``one`` fits
every NIC: the PF takes the address when the VF has lost it, which costs a
moment. Set it to ``both`` where the NIC is known to give frames to both;
QEMU's emulated igb does.
""",
    ),
    cfg.FloatOpt(
        'agent_timeout',
        default=10.0,
        min=1.0,
        max=300.0,
        help="""
Seconds that all questions to the agent in a guest may take in one look.

The agent is asked before a live migration for bonds, and to switch one over.
A guest whose agent does not answer in time is treated as one without. Raise
it for guests that are slow to answer.

Possible values:

* Any number of seconds from 1 to 300.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; a second time has no effect."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return all options, for oslo-config-generator and Sphinx."""
    return [(GROUP, OPTS)]
