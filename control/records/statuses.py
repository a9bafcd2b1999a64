"""The words by which a call's record says how it ended: what lists of records can be asked for.

Used by the admin API. `ok` and `tool_error` are the server's own outcomes, `wrong_message` and `internal` the
protocol's and ours; the rest are reasons of refusals and faults (`docs/operating/errors.md`). A request that is
refused before it is known who asks leaves no record, so the reasons for that are not here.
"""

from typing import Literal

Status = Literal[
    "ok",
    "tool_error",
    "wrong_message",
    "internal",
    "token_for_api",
    "scope_missing",
    "gateway_unknown",
    "way_not_accepted",
    "gateway_unavailable",
    "session_unknown",
    "session_missing",
    "stream_open",
    "method_not_allowed",
    "not_acceptable",
    "media_type",
    "body_packed",
    "body_too_large",
    "body_slow",
    "response_unasked",
    "notification_unknown",
    "overloaded",
    "tool_unknown",
    "busy",
    "quarantined",
    "held_back",
    "only_as_task",
    "audit_unavailable",
    "not_allowed",
    "credential_missing",
    "credential_ambiguous",
    "installation_gone",
    "needs_sign_in",
    "provider_away",
    "credential_unavailable",
    "upstream_refused",
    "upstream_resting",
    "upstream_forbidden",
    "upstream_tls",
    "upstream_broken",
    "upstream_too_large",
    "upstream_slow",
    "upstream_status",
    "upstream_credential",
    "upstream_era",
    "upstream_error",
    "upstream_asks",
    "cancelled",
    "access_ended",
]
