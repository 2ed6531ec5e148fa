# SPDX-License-Identifier: Apache-2.0
"""How a pair is one link for the guest."""
