# SPDX-License-Identifier: Apache-2.0
"""The double keeps the contract that a kernel keeps."""

from nova_pt_migrate.testing import link_contract
from nova_pt_migrate.testing import links


class DoubleAdapter:
    function = uplink = 'pf0'
    bridge = 'br-ext'
    device = '0000:81:00.1'

    def __init__(self) -> None:
        self.links = links.Links()

    def give_address(self, mac: str) -> None:
        self.links.addresses[self.device] = mac

    def make_foreign(self, name: str, words: str) -> None:
        self.links.links[name] = links.Link.of_others(name, words)


class DoubleContractTest(link_contract.LinkContract):
    def setUp(self) -> None:
        super().setUp()
        self.adapter = DoubleAdapter()
