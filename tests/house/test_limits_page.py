"""The page of limits tells the figures that the code has."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import msgspec
from throttled.asyncio import Quota

from archway.admin import body
from bridge import calls, child_process, kept_server, listener, printed, strangers
from bridge import sessions as bridge_sessions
from bridge.options import Options
from control import sleeping
from control.accounts import early_renewals, renewals, revocations, times
from control.admin import server_models
from control.admin.deps import LOG_READERS, LOGS_OF_ONE
from control.admin.entry_models import Slug
from control.catalog import client_config
from control.changes.assignments import MOST_BYTES, MOST_ON_A_GATEWAY
from control.console import import_form, live
from control.credentials.upstream_oauth import account, challenge, metadata, token_answer
from control.discovery import discover, news, probe_client, server_reports, under_way
from control.http import forms, models, paging
from control.http.reading import MAX_BODY as ADMIN_BODY
from control.internal.watches import SILENT_S
from control.oauth import limits, register, sweep
from control.oauth.clients import documents
from control.processes import limits as of_processes
from control.processes import logs
from control.providers import asking, browser_round
from control.public import app as public_app
from control.records import sign_in_notes
from control.registry import (
    account_sign_in,
    browser_session,
    client_patterns,
    definition_differences,
    definition_extras,
    discovery_news,
    environment_rules,
    exposed_names,
    headers,
    idleness,
    oauth_client,
    output_schemas,
    password_rules,
    redirects,
    resource_tools,
    server_state,
    sign_in_link,
    tool_definitions,
    url_template,
    visibility,
)
from control.registry.credential import OAuthCredential
from control.registry.gateway import MAX_ENVIRONMENTS
from control.registry.installation import LONGEST_ADDRESS
from control.registry.installing import MOST_SERVERS
from control.registry.token import LONGEST_OWN
from control.servers import log_lines
from control.sign_in import passwords, throttling
from control.store import known_devices, lease_waits, sign_in_attempts
from core import snapshot, strict_yaml, watches
from core.egress.addresses import MAX_URL_CHARS
from core.mcp import (
    deep_json,
    json_limits,
    large_answer_json,
    list_page,
    message,
    questions,
    tool_names,
    uri_template,
)
from core.sign_in_steps import MOST_TOLD
from proxy import lists, search_indexes
from proxy.answers import offered_lists, responses
from proxy.edge import head_rules, long_calls, passing_on
from proxy.gateways import built_in_tools, tool_search
from proxy.limits import logged
from proxy.offered import shown_uris
from proxy.records import at_the_door, texts
from proxy.resolve import control_client, installations
from proxy.sessions import call_state, elsewhere, pending_questions, suspended_calls, task_ids
from proxy.sessions.call_state import MOST_ROUNDS
from proxy.settings import ProxySettings
from proxy.stages import ask_caller, relay, run_tool, show_uris, take_answers
from proxy.subscriptions import of_sessions, shared_listening
from proxy.telemetry import sign_in_steps
from proxy.upstream import (
    answers,
    asides,
    breakers,
    eras,
    handshake,
    heard_stream,
    held_clients,
    list_answers,
    listened,
    old_connection,
    old_sessions,
    servers_questions,
    session_copies,
    session_ends,
    sessions,
    taken_up,
    unpacked,
    unsuccessful,
)
from proxy.upstream.pool import head
from tests.house.limits_of_entries import ENTRIES
from tests.house.limits_of_exchanges import EXCHANGES
from tests.house.limits_of_explaining import EXPLAINING
from tests.house.limits_of_oauth import OAUTH
from tests.house.limits_of_servers import SERVERS, size
from tests.house.limits_of_sign_ins import SIGN_INS
from tests.house.tracked import ROOT

PAGE = ROOT / "docs" / "operating" / "limits.md"
ROW = re.compile(r"^\| (?!what\b|---)([^|]+?) \| ([^|]*?) \|", re.MULTILINE)
DEFAULTS = {
    field.name: field.default
    for field in msgspec.structs.fields(ProxySettings)
    if isinstance(field.default, int | float)
}


def longest(text: object) -> int:
    """What a text of the admin API may have at most."""
    (rule,) = (one for one in get_args(text) if isinstance(one, models.Worded))
    return rule.longest


def tries(quota: Quota) -> str:
    """As the page writes a quota."""
    unit = {3_600: "an hour", 60: "a minute"}[quota.period_sec]
    return f"{quota.burst}, then {quota.get_limit()} {unit}"


def _most(setting: str) -> int:
    """How many values a setting of an entry may have whose people sign in."""
    (field,) = (one for one in msgspec.inspect.type_info(OAuthCredential).fields if one.name == setting)
    return _bare(field.type).max_length


def _bare(kind):
    return _bare(kind.type) if isinstance(kind, msgspec.inspect.Metadata) else kind


def _hours_of_revocations() -> int:
    """As the schema has it: whatever takes an account along queues its tokens."""
    schema = (ROOT / "control" / "store" / "migrations" / "0021_account_revocations.sql").read_text()
    return 24 * int(re.search(r"expires_at timestamptz .* interval '(\d+) day'", schema)[1])


BRIDGE = Options(command=(), token="")
FIGURES = {
    "calls at one server at once": f"{BRIDGE.max_in_flight}",
    "body of a request to a bridge": size(BRIDGE.max_body),
    "bodies of requests that are not answered yet, together": size(listener.MOST_HELD),
    "one message of such a server": size(BRIDGE.max_line),
    "bytes that wait for a server that does not read": size(child_process.MOST_UNSENT),
    "seconds that a call waits for a server that starts": f"{BRIDGE.wait_s:g}",
    "seconds for its answer": f"{BRIDGE.call_s:g}",
    "seconds from its start to its first answer": f"{BRIDGE.start_s:g}",
    "seconds until it is started again": f"0.2, each time twice as long, up to {kept_server.LONGEST_PAUSE_S:g}",
    "seconds for calls that run when a bridge ends": f"{BRIDGE.drain_s:g}",
    "seconds for the server to end then": f"{BRIDGE.stop_s:g}",
    "messages for one caller who reads slowly": (f"{calls.MOST_TOLD:,}, of {size(calls.MOST_TOLD_BYTES)} together"),
    "sessions of legacy callers at one bridge": (
        f"{bridge_sessions.MOST_SESSIONS:,}; one that is idle for an hour may be forgotten"
    ),
    "connections to a bridge that have shown no token": f"{strangers.MOST}",
    "lines of a server's own words in the log": (
        f"{printed.MOST_A_SECOND} a second, each of {printed.LONGEST:,} characters"
    ),
    "failures in a row before a rest": f"{breakers._FAILURES}",
    "seconds of such a rest": f"{breakers._REST_S:g}",
    "seconds for `server/discover`": f"{eras._PROBE_S:g}",
    "seconds for `initialize`": f"{handshake.OPEN_S:g}",
    "times that the stream of a legacy server's answer is taken up again where it ended, in one call": (
        f"{taken_up.MOST_TIMES:,}"
    ),
    "times in a row that this may fail": f"{taken_up.FAILURES}",
    "seconds until it is taken up": (
        f"what the server says, {taken_up.USUAL_S:g} where it says nothing, at least {taken_up.LEAST_S:g}"
    ),
    "seconds until an era that rests on a refusal is asked again, beside the calls": f"{eras._SHORT_AGE_S:g}",
    "body of a request": size(DEFAULTS["max_body"]),
    "nesting of its JSON": f"{json_limits.MAX_DEPTH} levels",
    "values in it": f"{json_limits.MAX_VALUES:,}",
    "keys of one object": f"{json_limits.MAX_OBJECT_KEYS:,}",
    "a key": size(json_limits.MAX_KEY_BYTES),
    "the id of a request, as text": size(message.MAX_ID_BYTES),
    "messages in a batch (2025-03-26 alone)": f"{message.MAX_BATCH}",
    "calls at once, of one worker": f"{DEFAULTS['calls_in_flight']:,}",
    "calls at once to one server, of one worker": f"{DEFAULTS['calls_per_upstream']}",
    "bodies, and answers that are over 1 MiB or unread, of one worker": size(DEFAULTS["bytes_in_flight"]),
    "open event streams, of one worker": f"{DEFAULTS['streams']:,}",
    "requests for people's pages and sign-in at once, of one worker": f"{passing_on.MOST_AT_ONCE}",
    "body of such a request": size(passing_on.MOST_BODY),
    "seconds for all of such an answer, event streams too": f"{passing_on.WHOLE_S:g}; {passing_on.SILENCE_S:g}",
    "seconds until the answer to a call becomes an event stream, and between two comments on it": (
        f"{long_calls.KEEPALIVE_S:g}"
    ),
    "seconds of a call": f"{DEFAULTS['call_seconds']}",
    "an answer, and an event of a stream": size(DEFAULTS["max_answer"]),
    "members of an answer in gzip": f"{unpacked.MAX_MEMBERS}",
    f"brackets in JSON that is deeper than {deep_json.LEVELS} levels": f"{deep_json.MAX_BRACKETS:,}",
    "an answer that is sent on as it came, without making objects of it": f"over {size(large_answer_json.LARGE)}",
    "all of such an answer but its content and structured content": size(large_answer_json.MAX_BESIDE),
    "values in such an answer that is a list of messages": f"{large_answer_json.MAX_PARTS:,}",
    "seconds that such an answer waits for its turn to be written on, behind others": f"{relay.TURN_S:g}",
    "events of a stream": f"{answers.MAX_EVENTS:,}",
    "bytes of a stream up to its answer, comments and empty lines too": (
        f"{answers.STREAM_ANSWERS} times an answer: {size(answers.STREAM_ANSWERS * DEFAULTS['max_answer'])}; "
        f"{size(answers.SMALLEST_CAP)} at least"
    ),
    f"messages that it logs during one call, for callers; of {size(logged.MOST_BYTES)} together": f"{logged.MOST:,}",
    "questions to us during one call": f"{servers_questions.MAX_ASKED}",
    "lines of the head": f"{head.MAX_HEADERS}",
    "the head": size(head.MAX_HEAD_BYTES),
    "a session id": f"{handshake.MAX_SESSION_ID:,} characters",
    "sessions of one worker with servers": f"{sessions.MOST:,}, each for {session_copies.AGE_S / 60:g} minutes",
    "those of them that were given up and wait to be ended": f"{session_ends.MOST:,}; {session_ends.AT_ONCE} are "
    f"ended at once, each within {session_ends.DELETE_S:g} seconds",
    "streams of one worker from servers of 2024-11-05 (HTTP with SSE)": f"{old_sessions.MOST:,}, each for "
    f"{old_connection.IDLE_S / 60:g} minutes",
    "egress policies that a worker connects under at once, where its calls go through `HTTPS_PROXY`": (
        f"{held_clients.MOST}; while all"
    ),
    "a page of a list": size(list_answers.MAX_PAGE_BYTES),
    "all pages of a list": size(list_answers.MAX_LIST_BYTES),
    "values in all of them": f"{list_page.MAX_LIST_VALUES:,}",
    "pages of a list": f"{list_answers.MAX_PAGES}",
    "tools or resources of a list": f"{list_page.MAX_ITEMS:,}",
    "items of a list that are left out, told with the reason": f"{list_page.MAX_REJECTED}",
    "tools of an entry": f"{tool_definitions.MAX_TOOLS:,}",
    "a definition": size(tool_definitions.MAX_DEFINITION),
    "definitions of an entry": size(tool_definitions.MAX_DEFINITIONS),
    "a tool's own name": f"{tool_names.MAX_NAME_BYTES:,} bytes",
    "a description": f"{tool_definitions.MAX_DESCRIPTION:,} characters",
    "a title": f"{tool_definitions.MAX_TITLE} characters",
    "a resource's URI": f"{resource_tools.MAX_URI:,} characters",
    "nesting of a definition": f"{json_limits.MAX_DEPTH} levels",
    "a key in a definition": size(json_limits.MAX_KEY_BYTES),
    "values in a definition": f"{list_page.MAX_VALUES:,}",
    "schemas in an `outputSchema`, and for one value when its references are followed": (
        f"{output_schemas.MAX_SCHEMAS:,}, and {output_schemas.MAX_UNFOLDED:,}"
    ),
    "characters of a pattern in it, and of all": (
        f"{client_patterns.MAX_PATTERN:,}, and {output_schemas.MAX_PATTERNS:,}"
    ),
    "icons of a tool": f"{definition_extras.MAX_ICONS}",
    "an icon as data": f"{definition_extras.MAX_ICON_DATA:,} characters",
    "objects and lists in a page": f"{list_page.MAX_CONTAINERS:,}",
    "questions of servers that wait for legacy callers, of one worker": f"{pending_questions.MOST:,}; a quarter",
    "calls that wait for modern callers, of one worker": f"{suspended_calls.MOST:,}; a quarter",
    "questions and results that wait in such calls, of one worker": f"{size(suspended_calls.MOST_BYTES)}; a quarter",
    "one question of a legacy server to a modern caller": size(suspended_calls.LONGEST_QUESTION),
    "seconds that a legacy caller has for an answer": f"{ask_caller.QUESTION_S:g}",
    "seconds that a modern caller has for the answer to a legacy server": f"{suspended_calls.QUESTION_S:g}",
    "seconds that a modern caller has for the answer to a modern server": f"{call_state.LIFETIME_S}",
    "questions of a modern server in one result": f"{questions.MOST_AT_ONCE}",
    "a name of one of them": f"{questions.LONGEST_KEY} characters",
    "times that a modern server may ask about one call": f"{MOST_ROUNDS}",
    "a state that a modern server gives with its question": f"{call_state.LONGEST_OF_SERVER:,} characters",
    "times that we ask a modern caller to sign in, about one call": f"{take_answers.MOST_ASKED}",
    "an answer that reaches another worker than the one that asked": size(responses.MOST_BYTES),
    "answers, levels and subscriptions that go from one worker to the others": (
        f"{pending_questions.LETTERS_PER_S:g} a second, "
        f"of {size(pending_questions.LETTER_BYTES_PER_S)} together; half for one caller"
    ),
    "days for which a task can be asked about": f"{task_ids.LIFETIME_S // 86_400}",
    "the identifier that a server gives a task": f"{task_ids.LONGEST_OF_SERVER:,} bytes",
    "a result that comes from another worker": size(elsewhere.LARGEST_OUTCOME),
    "seconds for the worker that has a call to take up its answer": f"{elsewhere.FOUND_S:g}",
    "seconds without a word of the worker that goes on with a call for a caller in another one": (
        f"{elsewhere.SILENT_S:g}"
    ),
    "resources that one session, or one listening stream, is subscribed to": f"{of_sessions.MOST_OF_SESSION}",
    "subscriptions of one worker's streams": f"{shared_listening.MOST_HOLDS:,}; a quarter for one caller",
    "resources of one server that are listened for, for those who share its session": (
        f"{shared_listening.MOST_OF_SERVER}"
    ),
    "the URI of a part of a resource, of whose change a server tells": (
        f"{shared_listening.LONGEST_PART:,} characters"
    ),
    "seconds that a server has to say that it tells of a resource": f"{shared_listening.STANDS_S:g}",
    "seconds that a server is listened to after nobody wants it": f"{shared_listening.LINGER_S:g}",
    "one message that a server says outside of calls": size(heard_stream.MOST_HEARD),
    "streams on which legacy servers may ask beside their calls, of one worker": f"{asides.MOST:,}",
    "questions of a server on such a stream": f"{heard_stream.MOST_ASKED} times",
    "seconds before a stream that ended or failed is begun again": (
        f"{listened.FIRST_PAUSE_S:g} to {listened.LONGEST_PAUSE_S:g}"
    ),
    "seconds after which a server that does not listen is asked again": f"{shared_listening.AGAIN_S:g}",
    "seconds for all pages of one server's resources, prompts or templates": f"{lists.LIST_S:g}",
    "seconds for these lists where only URIs in a result are to be told apart": f"{show_uris.LISTS_S:g}",
    "URIs in one result that are compared with templates": f"{shown_uris.MOST_BY_TEMPLATE}",
    "items on a page of these lists": f"{offered_lists.PAGE}",
    "such lists that one worker keeps, each for one caller": (
        f"{lists.MOST_KEPT:,}, {size(lists.ROOM)} in all; each for {lists.YOUNG_S:g} seconds"
    ),
    "a URI template, and a URI that is compared with it": (
        f"{uri_template.LONGEST:,} characters, {uri_template.MOST_EXPRESSIONS} expressions"
    ),
    "words of a search": f"{built_in_tools.LONGEST_QUERY} characters",
    "tools that a search finds": (
        f"{built_in_tools.USUAL_LIMIT} unless the caller says, {built_in_tools.MOST_HITS} at most"
    ),
    "each text of a tool that a search looks at": f"{tool_search.MOST_TEXT:,} characters",
    "seconds that a search waits for a new revision of the gateway to be ready for it": (
        f"{search_indexes.PATIENCE_S:g}"
    ),
    "gateways whose tools one worker has ready to be searched": f"{search_indexes.MOST}",
    "a schema with which `run_tool` compares arguments": size(run_tool.LARGEST_SCHEMA),
    "servers that one worker listens to, for news of their lists": f"{watches.MOST_HELD}",
    "seconds until another worker listens to a server whose worker is gone": f"{watches.LEASE_S:g}",
    "minutes for which a server that cannot be listened to is left alone": f"{SILENT_S / 60:g}",
    "seconds between discoveries that a server causes by such news": (
        f"{news.FIRST_PAUSE_S:g}, then twice as long each time up to {news.LONGEST_PAUSE_S:g}"
    ),
    "such discoveries of one control at once": f"{news.AT_ONCE}",
    "seconds of a discovery": f"{probe_client.DEADLINE_S - probe_client._FOR_WORDS_S:g}; ",
    "a refusal of the server, as it is read": size(unsuccessful.MOST_READ),
    "a failure as it is told, the server's own words at the end": f"{discover.MAX_REASON:,} characters",
    "tools left out, and notes, that are told": f"{discover.MAX_REPORTED} of each",
    "tools named as added, changed or gone": f"{discovery_news.MOST_NAMED} of each",
    "places told at which a tool differs": f"{definition_differences.MOST}",
    "changed tools compared in a line of the audit trail": f"{discovery_news.MOST_COMPARED}",
    "a form of a page": f"{size(forms.MAX_FORM)}, {forms.MOST_FIELDS} fields",
    "any other body on the listener for people": size(public_app.MAX_BODY),
    "a password": f"{password_rules.SHORTEST} to {password_rules.LONGEST} characters",
    "attempts to sign in with one address of mail, from browsers that are not known": tries(throttling.BY_NAME),
    "the same from one address of network (of IPv6: one /64)": tries(throttling.BY_ADDRESS),
    "the same from a browser in which the person has signed in before": tries(throttling.BY_DEVICE),
    "passwords that are compared at once, by each control": (
        f"{passwords.AT_ONCE}, and 1 for browsers that are known; {passwords.WAITING} wait for each"
    ),
    "browser sessions of one person": f"{browser_session.MOST_OF_ONE_PERSON}",
    "browsers that are known for one person": (
        f"{known_devices.MOST_OF_ONE_PERSON}, each for {known_devices.AGE.days} days after its last use"
    ),
    "pages of one replica that wait for a first call": f"{live.MOST_OPEN}; {live.MOST_OF_ONE} of one person",
    "pages of one replica that wait for a server's answer": f"{live.MOST_OPEN}; {live.MOST_OF_ONE} of one person",
    "servers that one replica asks at once for pages, what they offer": f"{under_way.MOST}",
    "how long a token lasts that a person makes for themselves": f"{LONGEST_OWN.days} days",
    "open links of one person": f"{sign_in_link.MOST_OPEN}",
    "steps of signing in that are kept": (
        f"{sign_in_attempts.MOST}; of one person or one network of strangers {sign_in_attempts.SHARE}, while others "
        "need the room"
    ),
    "steps that one control writes a second of strangers, and as many of people who are known": (
        f"{sign_in_notes.A_SECOND}, of one {sign_in_notes.OF_ONE_A_SECOND}"
    ),
    "steps that one worker tells control in a message, a second apart": (
        f"{MOST_TOLD}, of one network {sign_in_steps.OF_ONE}"
    ),
    "a registration": size(register.MAX_BODY),
    "redirects of one client": f"{redirects.MOST}",
    "registrations from one address of network": tries(limits.REGISTER),
    "clients that registered and were never used": (
        f"{register.MOST_UNUSED:,}, each for {sweep.UNUSED_FOR // timedelta(hours=1)} hours"
    ),
    "a client's own document": f"{size(documents.MOST_BYTES)}, within {documents.WITHIN_S} seconds",
    "seconds that a call waits for the next token of an account": (
        f"{installations.AWAITED_S:g}; a wait that has begun before goes on for at most "
        f"{control_client.RENEWAL_WAITS_S:g} more"
    ),
    "questions of one worker about credentials for one tool at once; of those that wait for a provider": (
        f"{control_client.FIRST_AT_ONCE}; {control_client.PATIENT_AT_ONCE}"
    ),
    "renewals that are begun in one control and not over": f"{renewals.MOST_RUNS:,}",
    "seconds of a provider's answer": f"{asking.DEADLINE_S:.0f}",
    "accounts of one provider that one control renews at once": f"{renewals.AT_ONE_PROVIDER}",
    "accounts that one control renews ahead of time in a round of 5 seconds": (
        f"{early_renewals.MOST}; {early_renewals.OF_EACH} of one provider, {early_renewals.AT_ONCE} of them at once"
    ),
    "providers that it asks for these at once": f"{early_renewals.PROVIDERS}",
    "seconds for which one process alone may renew an account": f"{lease_waits.LEASE_S:.0f}",
    "sign-ins at providers that one person has under way": f"{account_sign_in.MOST_OF_ONE}",
    "minutes that a person may take at the provider, and as long again to say that the account is theirs": (
        f"{account_sign_in.LIFE // timedelta(minutes=1)}"
    ),
    "hours in which a provider is told of tokens that are used no more": (
        f"{_hours_of_revocations()}; first after {revocations.AGAIN.seconds} seconds, "
    ),
    "revocations that one control tells at once": f"{revocations.MOST}",
    "a provider's answer": size(asking.MAX_BYTES),
    "redirects of its metadata that are followed": f"{metadata.MOST_REDIRECTS}",
    "a token that it gives": size(token_answer.LONGEST),
    "a code that it sends back with a person": size(browser_round.LONGEST_CODE),
    "scopes that a server asks for in one refusal": f"{challenge.MOST_SCOPES}",
    "all that a refusal says of signing in": size(challenge.LONGEST),
    "a name of an account": f"{account.LONGEST_NAME} characters",
    "scopes that an entry asks for": f"{_most('scopes')}",
    "approved hosts of an entry's provider, and more parameters for it": f"{_most('approved_hosts')} of each",
    "servers of a client's file": f"{client_config.MOST}; {import_form.MOST} in the browser",
    "minutes between two tries at a provider that is away": (
        f"{times.LONGEST_REST // timedelta(minutes=1)}, or as long as it says, "
        f"at most {asking.LONGEST_RETRY_S / 60:.0f}"
    ),
    **OAUTH,
    "codes that are redeemed from one address of network": tries(limits.CODE),
    "refreshes of one grant": tries(limits.REFRESH),
    "tokens of one client that acts by itself": tries(limits.CLIENT),
    "identity assertions that one client brings": tries(limits.ASSERTION),
    "clients that a gateway names": f"{oauth_client.MAX_CLIENTS}",
    "processes and threads, where it is not us": f"{of_processes._PROCESSES}",
    "files that one of its processes opens": f"{of_processes._ALWAYS['NOFILE']:,}",
    "a file that it writes": size(of_processes._ALWAYS["FSIZE"]),
    "the log of one run": size(logs.LONGEST),
    "body of a request to the admin API": size(ADMIN_BODY),
    "the file of `--body`; as YAML": f"{size(body.LONGEST_FILE)}; {size(strict_yaml.MOST_BYTES)}",
    "items in a page of the admin API's lists": f"{paging.MOST}",
    "a cursor of such a list": f"{paging.LONGEST_CURSOR:,} characters",
    "a name of a person, team, role, token, entry, installation or gateway": f"{longest(models.Name)} characters",
    "a slug": f"{longest(Slug)} characters",
    "a name or ENTRY@OWNER that asks for an installation": f"{LONGEST_ADDRESS} characters",
    "a description that a person enters": f"{longest(models.Description):,} characters",
    "a credential, a header's value, an answer to a field": f"{headers.MAX_VALUE:,} characters",
    "headers of an entry": f"{headers.MAX_FIXED_HEADERS}",
    **ENTRIES,
    **EXCHANGES,
    **EXPLAINING,
    "an answer that stands in a URL": f"{url_template.MAX_LABEL} characters in the host, "
    f"{url_template.MAX_SEGMENT} in the path; the whole URL {MAX_URL_CHARS:,}",
    "a URL": f"{MAX_URL_CHARS:,} characters",
    "egress presets, and image registries, of an environment": f"{environment_rules.MAX_PRESETS} of each",
    "labels of nodes, and tolerations, of an environment": f"{environment_rules.MAX_SELECTOR} of each",
    "environments that a gateway names": f"{MAX_ENVIRONMENTS}",
    "servers that a quota lets a team have": f"{environment_rules.MAX_SERVERS:,}",
    "names on a gateway's header allowlist": f"{headers.MAX_ALLOWLIST}",
    "tools on a gateway": f"{MOST_ON_A_GATEWAY:,}",
    "their definitions together": size(MOST_BYTES),
    "a name that a gateway shows": f"{exposed_names.MAX_EXPOSED} characters",
    "teams that see an entry or a gateway": f"{visibility.MAX_TEAMS}",
    "a gateway as proxies get it": size(snapshot.MAX_BYTES),
    "records of one caller who is refused before there is a call": (
        f"{at_the_door.AT_ONCE} at once, then one in {at_the_door.EVERY_S:g} s"
    ),
    "the same of all callers of a worker": (
        f"{at_the_door.ALL_AT_ONCE} at once, then {at_the_door.ALL_PER_SECOND:g} a second"
    ),
    "seconds that a call waits for a server to start": f"{installations.AWAITED_S:g}",
    "minutes without a call after which a server is ended, where its entry says so": (
        f"{idleness.FEWEST_MINUTES} to {idleness.MOST_MINUTES:,}"
    ),
    "idle servers that begin to be ended at one look, 15 seconds apart": f"{sleeping.AT_ONCE}",
    "seconds for workers to say that they have forgotten such a server": f"{sleeping.HEARD_WITHIN_S:g}",
    "characters of what a place says of a server": f"{server_state.LONGEST_MESSAGE:,}",
    "servers whose reports wait for the database, of one control": f"{server_reports.MOST:,}",
    "servers that are asked at once by themselves, what they offer": f"{server_reports.ASKED_AT_ONCE}",
    "lines of a log that are asked for at once": f"{server_models.MOST_LINES:,}",
    "a line of a log": size(log_lines.LONGEST_LINE),
    "lines of a log that are sent a second": f"{log_lines.LINES_PER_S:,}",
    "a log in one answer": size(log_lines.MOST_BYTES),
    "minutes that a log is followed": f"{log_lines.FOLLOWED_S / 60:g}",
    "logs that are read at once in one control": f"{LOG_READERS}; by one person {LOGS_OF_ONE}",
    "servers of one entry that run here for one person": f"{MOST_SERVERS}",
    **SERVERS,
    **SIGN_INS,
    "the sentence that a caller was told": f"{texts.LONGEST_SENTENCE} characters",
    "the name of a client, of a gateway or tool that there is not": f"{texts.LONGEST_NAME} characters",
}
IN_WORDS = {
    "memory of its own that one of its processes may write to",
    "a string in it, such as an argument",
    "a number",
    "nesting, keys, values of its JSON",
    "a number in a definition",
}
"""Rows whose limit is no figure of their own."""


def test_the_page_tells_the_figures_of_the_code():
    told = [(what, most) for what, most in ROW.findall(PAGE.read_text()) if what != "a line of the head"]
    wrong = {what: most for what, most in told if not most.startswith(FIGURES.get(what, "")) and what not in IN_WORDS}
    assert not wrong
    assert {what for what, _ in told} == FIGURES.keys() | IN_WORDS


def test_a_line_of_a_head_is_told_both_ways():
    lines = [most for what, most in ROW.findall(PAGE.read_text()) if what == "a line of the head"]
    assert lines == [f"{head_rules.MOST_LINE:,} bytes", size(head.MAX_LINE_BYTES)]


def test_settings_that_the_page_names_have_the_default_that_it_tells():
    for figure, name in re.findall(r"([\d,]+)(?: MiB)? \(`ARCHWAY_(\w+)`\)", PAGE.read_text()):
        default = DEFAULTS[name.lower()]
        assert figure == f"{default:,}" or figure == f"{default >> 20}", name
