# SPDX-License-Identifier: Apache-2.0
"""The inside of the guest; everything that is read there is hostile."""
