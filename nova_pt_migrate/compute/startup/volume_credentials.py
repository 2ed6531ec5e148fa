# SPDX-License-Identifier: Apache-2.0
"""Check that nova-compute may ask Cinder by itself, without a user's token.

A live migration that nova-compute did not survive is settled by the next one,
in whose context there is no token. Nova then takes what ``[cinder]`` names
(nova/volume/cinder.py, _get_auth), and nothing else needs that.
"""

import re

from nova import conf as nova_conf
from nova import service_auth

_OF_PROJECT = re.compile(r'%\((project|tenant)(_id)?\)s')
"""What nobody's context has of a user's (RequestContext.to_dict)."""


def check() -> list[str]:
    """Look at ``[cinder]``; nothing is sent to anybody.

    :returns: warnings, one sentence each
    """
    cause = _cause()
    if not cause:
        return []
    return [
        f'{cause}, so that nova-compute cannot ask Cinder by itself: a server '
        f'with volumes whose live migration was cut short, because '
        f'nova-compute of this host ended, would stay in task state '
        f'migrating. Set auth_type and the service user in [cinder] of '
        f'nova.conf as in [neutron], and no project in endpoint_template; '
        f'where no server has volumes, set auth_type = none.'
    ]


def _cause() -> str:
    try:
        plugin = service_auth.get_service_auth_plugin('cinder')
    except Exception as exc:
        return f'[cinder] names no user ({type(exc).__name__}: {exc})'
    if plugin is None:
        return '[cinder] auth_type is not set'
    template = nova_conf.CONF.cinder.endpoint_template
    if _OF_PROJECT.search(template or ''):
        return '[cinder] endpoint_template names the project of a user'
    return ''
