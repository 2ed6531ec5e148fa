# SPDX-License-Identifier: Apache-2.0
"""The compute hosts: their machines, and what is put into them."""
