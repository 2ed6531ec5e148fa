# SPDX-License-Identifier: Apache-2.0
"""On which of its NICs a guest sees a link, as QEMU has it.

libvirt's documents say how it should be. QEMU follows them when it starts a
guest and when libvirt tells it to; what a guest has that migrates or is
restored comes with its memory, whatever the document says
(hw/net/virtio-net.c, virtio_net_post_load_device).
"""

from nova_pt_migrate.testing import documents


class Carriers:
    """Those of one guest.

    :ivar down: the netdevs of the NICs without a link
    """

    def __init__(self) -> None:
        self.down: frozenset[str] = frozenset()

    def boot(self, document: documents.Element) -> None:
        """The guest starts from a document."""
        self.down = frozenset(
            target
            for target in documents.targets(document)
            if not documents.is_linked(document, target)
        )

    def take(self, other: 'Carriers') -> None:
        """The guest comes with its memory."""
        self.down = other.down

    def set(self, target: str, up: bool) -> None:
        """libvirt tells QEMU (set_link)."""
        self.down = self.down - {target} if up else self.down | {target}
