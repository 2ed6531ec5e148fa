#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# DevStack plug-in: nova-compute with the driver of nova-pt-migrate.

source "$PT_MIGRATE_DIR/devstack/lib/pt_migrate"

case "$1/${2:-}" in
    stack/install) install_pt_migrate ;;
    stack/post-config) configure_pt_migrate ;;
    clean/*) uninstall_pt_migrate ;;
esac
