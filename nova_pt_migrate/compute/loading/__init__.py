# SPDX-License-Identifier: Apache-2.0
"""How Nova finds the driver, and what of Nova is touched."""
