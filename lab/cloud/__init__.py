# SPDX-License-Identifier: Apache-2.0
"""The control plane: its daemons, services, schemas and clients."""
