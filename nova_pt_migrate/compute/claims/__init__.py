# SPDX-License-Identifier: Apache-2.0
"""The devices that are set aside on this host, and how they are freed."""
