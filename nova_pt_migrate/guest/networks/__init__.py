# SPDX-License-Identifier: Apache-2.0
"""How each network manager of a guest is told of a bond."""
