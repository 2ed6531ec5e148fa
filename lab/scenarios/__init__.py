# SPDX-License-Identifier: Apache-2.0
"""What is done in a lab that is up, and the steps it is made of."""
