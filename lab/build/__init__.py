# SPDX-License-Identifier: Apache-2.0
"""What a lab runs on: the Debian tree, and the disks made from it."""
