# SPDX-License-Identifier: Apache-2.0
"""The weigher for hosts with fitting devices. Nothing is here yet."""
