# SPDX-License-Identifier: Apache-2.0
"""The directory that becomes part of nova.virt; nothing else belongs here."""
