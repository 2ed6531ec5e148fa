# SPDX-License-Identifier: Apache-2.0
"""One server on this host: its devices, observed, planned and acted on."""
