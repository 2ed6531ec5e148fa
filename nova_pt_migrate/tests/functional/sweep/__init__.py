# SPDX-License-Identifier: Apache-2.0
"""Every call of ours fails once, in every way, and the contract holds."""
