# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.compute.startup import device_spec
from nova_pt_migrate.core import errors

VF = {
    'address': '0000:81:10.2',
    'vendor_id': '8086',
    'product_id': '10ca',
    'dev_type': 'type-VF',
    'parent_addr': '0000:81:00.0',
}
BY_PRODUCT = '{"vendor_id": "8086", "product_id": "10ca"}'


class TestCheck(testtools.TestCase):
    def test_an_entry_that_fits_is_silent(self) -> None:
        self.assertEqual([], device_spec.check([BY_PRODUCT], [VF]))

    def test_a_product_that_this_host_lacks_is_a_warning(self) -> None:
        (warning,) = device_spec.check([BY_PRODUCT], [])
        self.assertIn(BY_PRODUCT, warning)
        self.assertIn('device_spec', warning)

    def test_a_pattern_that_fits_nothing_is_a_warning(self) -> None:
        self.assertEqual(
            1, len(device_spec.check(['{"address": "0000:99:*.*"}'], [VF]))
        )

    def test_an_address_that_is_not_there_stops_the_service(self) -> None:
        entry = '{"address": "0000:99:00.0"}'
        text = str(
            self.assertRaises(
                errors.CannotStart, device_spec.check, [entry], [VF]
            )
        )
        self.assertIn(entry, text)
        self.assertIn('lspci', text)

    def test_one_that_was_there_before_is_a_warning(self) -> None:
        entry = '{"address": "0000:81:10.2"}'
        (warning,) = device_spec.check([entry], [], lambda: [VF])
        self.assertIn(entry, warning)

    def test_each_entry_is_looked_at(self) -> None:
        self.assertEqual(
            1,
            len(device_spec.check([BY_PRODUCT, '[{"vendor_id": "1"}]'], [VF])),
        )
