# SPDX-License-Identifier: Apache-2.0
"""What tools/test runs in the virtual environment that it has made."""
