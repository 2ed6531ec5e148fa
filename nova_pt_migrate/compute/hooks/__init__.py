# SPDX-License-Identifier: Apache-2.0
"""What Nova calls: each hook translates, and makes one call."""
