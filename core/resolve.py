"""Resolve calls: what a proxy asks control on a cold key, and the answers.

Every question carries the caller's own proof (for an `arch_` token its digest), which control checks again: it
never answers for a principal merely named. Answers are sealed (`core/internal_call.py`).

Some fields have another name on the wire, and proofs are laid flat there, so that planes of the version before and
this one read each other about `arch_` tokens.
"""

from functools import cached_property
from hashlib import sha256
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from core.egress.header_names import look_alike
from core.egress.rules import EgressRules
from core.snapshot import RouteKind

LegacyRevision = Literal["", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
PrincipalKind = Literal["user", "team", "organisation", "service", "external"]
"""`service`: an OAuth client that calls for itself, under its row's identifier. `external`: somebody whom an identity
provider knows and who has no account here, under the identifier of their row."""
AuthKind = Literal["token", "oauth", "jwt"]
"""Kinds of credentials: an `arch_` token, an access token that Archway made, an identity provider's own token."""
Way = Literal[AuthKind, "id_jag"]
"""Ways of authenticating: a kind of credential. `id_jag`: an access token that Archway made because an identity
provider vouched for the person (ID-JAG), and not because they agreed to it here."""
MOST_IN_A_LIST: Final = 100
"""Of one list of questions; control refuses to read one that is longer."""
LONGEST_JWT: Final = 16 << 10
"""Characters of a signed token. No lane takes a header that is as long."""
MOST_SCOPES, LONGEST_SCOPE = 64, 256
"""Scopes that one challenge may ask for, and characters of each; what is beyond is left out."""
_Jwt = Annotated[str, msgspec.Meta(max_length=LONGEST_JWT)]
_Scope = Annotated[str, msgspec.Meta(max_length=LONGEST_SCOPE)]
_Scopes = Annotated[tuple[_Scope, ...], msgspec.Meta(max_length=MOST_SCOPES)]


class Principal(msgspec.Struct, frozen=True, dict=True):
    """Who calls, as far as access and credentials need to know."""

    kind: PrincipalKind
    id: str
    name: str
    teams: frozenset[str] = frozenset()
    """Teams of a user; a team token is in its own team alone; an organisation token in none."""

    @cached_property
    def key(self) -> str:
        """`user:ID`, `team:ID`, `service:ID` or `organisation`: no two kinds share one."""
        return self.kind if self.kind == "organisation" else f"{self.kind}:{self.id}"


class TokenProof(msgspec.Struct, frozen=True):
    """The proof of who bears an `arch_` token: its SHA-256, since nobody knows that without having the token."""

    digest: str


class JwtProof(msgspec.Struct, frozen=True):
    """The proof of who bears a signed token: the token itself, whose signature is checked by whoever is asked.

    So the token stays in a proxy's memory while its caller may have to be asked about again. It is in nothing that is
    written or told: no record, log line or `repr`, no copy in Redis or on disk. To control it goes sealed.
    """

    digest: str
    """SHA-256 of the whole token, by which it is known in memories."""
    jwt: str

    @staticmethod
    def of(jwt: str) -> "JwtProof":
        """The proof that this token is."""
        return JwtProof(sha256(jwt.encode()).hexdigest(), jwt)

    def __repr__(self) -> str:
        return f"JwtProof({self.digest})"


Proof: TypeAlias = TokenProof | JwtProof
"""What a caller proves with who they are. Each has the digest of the whole credential."""


class Credential(msgspec.Struct, frozen=True):
    """What a caller came with: the way of authenticating, and what is told of it. Never the secret itself."""

    kind: Way
    id: str
    """Of the token, or of the grant behind an access token."""
    client: str = ""
    """The OAuth client that it was made for; empty for none."""
    scopes: frozenset[str] = frozenset()


class CallerQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is the bearer of this credential?"""

    digest: str
    """SHA-256 of the whole credential, of whatever kind: planes of the version before know no other proof."""
    jwt: _Jwt = ""
    """The credential itself, where it is a signed token."""

    @staticmethod
    def of(proof: Proof) -> "CallerQuestion":
        """The question that this proof stands in."""
        return CallerQuestion(proof.digest, _jwt_of(proof))

    @property
    def proof(self) -> Proof:
        """The proof that it carries."""
        return _proof_of(self.digest, self.jwt)

    def __repr__(self) -> str:
        return f"CallerQuestion({self.digest})"


class CallerVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who bears a credential, or why nobody: `unknown`, `revoked`, `expired` and `disabled` look alike to the caller.

    Control says it of what it is asked about; what a proxy has verified by itself has one of the same form.
    """

    digest: str
    """Of the credential; a verdict on another one than was asked about is none."""
    principal: Principal | None = None
    credential_id: str = msgspec.field(default="", name="token_id")
    """Called `token_id` on the wire, as version 0.1 does."""
    expires: float | None = None
    """Unix seconds; a verdict never outlives it."""
    refusal: Literal["", "unknown", "revoked", "expired", "disabled"] = msgspec.field(default="", name="refused")
    """Why not, '' if nothing is against it. Planes of other versions know it as `refused`."""
    kept_out: Principal | None = None
    """Who bears a token that holds and is not for gateways. `principal` is None then: a proxy of another version,
    which does not know this field, refuses such a token as one that does not hold."""
    auth: AuthKind = "token"
    """The kind of the credential."""
    client: str = ""
    """The OAuth client that the credential was made for."""
    scopes: frozenset[str] = frozenset()
    by_assertion: bool = False
    """Of an access token that Archway made: its identity provider vouched for the person. A proxy of another version,
    which does not know this field, takes it for one that the person agreed to."""
    why: str = ""
    """Of a refusal: what the notes of signing in say of it, in a word that control knows again."""
    said: str = ""
    """What a token that holds says of its bearer: for those notes alone, never for the caller; 200 characters."""

    @property
    def way(self) -> Way:
        """Of authenticating, as gateways name the ways that they accept."""
        return "id_jag" if self.auth == "oauth" and self.by_assertion else self.auth

    @property
    def credential(self) -> Credential:
        """What the caller came with."""
        return Credential(self.way, self.credential_id, self.client, self.scopes)

    def is_about(self, proof: Proof) -> bool:
        """Whether it was said of this very credential: an `arch_` token is never told to be a signed one, or back."""
        return self.digest == proof.digest and (self.auth == "token") == isinstance(proof, TokenProof)


class CallerQuestions(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who are the bearers of these credentials? Asked about what is known, to know it again."""

    digests: Annotated[list[str], msgspec.Meta(max_length=MOST_IN_A_LIST)]
    jwts: Annotated[dict[str, _Jwt], msgspec.Meta(max_length=MOST_IN_A_LIST)] = {}
    """By its digest, which is among those: each credential that is a signed token."""

    @staticmethod
    def of(questions: "list[CallerQuestion]") -> "CallerQuestions":
        """Many questions as one list."""
        jwts = {question.digest: question.jwt for question in questions if question.jwt}
        return CallerQuestions([question.digest for question in questions], jwts)

    @property
    def proofs(self) -> list[Proof]:
        """The proofs that it carries, in their order."""
        return [_proof_of(digest, self.jwts.get(digest, "")) for digest in self.digests]

    def __repr__(self) -> str:
        return f"CallerQuestions({self.digests})"


class CallerVerdicts(msgspec.Struct, frozen=True):
    """The answers to `CallerQuestions`, each with its digest, in any order. What is left out is to be asked alone."""

    verdicts: list[CallerVerdict]


class InstallationQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which upstream, with which credential, for this bearer and this assigned tool?"""

    digest: str
    gateway_id: str
    assignment_id: str
    jwt: _Jwt = ""
    """As in `CallerQuestion`."""
    refused_version: int = 0
    """The upstream has refused the credential of this version of the installation with 401; 0 where it has not."""
    needed_scopes: _Scopes = ()
    """The scopes that the upstream asks for where it says that the credential has too few (403)."""
    too_few_scopes: bool = False
    """Whether the upstream says that the credential has too few scopes (403), and names none of them."""
    waits_s: float = 0.0
    """For how many seconds the answer may wait for a provider that has to give a token first; 0: control's own."""
    refused_obtained: float = 0.0
    """When the caller's token was obtained that was refused, as `ResolvedInstallation.obtained_at` has it."""

    @staticmethod
    def of(proof: Proof, gateway_id: str, assignment_id: str) -> "InstallationQuestion":
        """The question that this proof stands in."""
        return InstallationQuestion(proof.digest, gateway_id, assignment_id, _jwt_of(proof))

    @property
    def proof(self) -> Proof:
        """The proof that it carries."""
        return _proof_of(self.digest, self.jwt)

    @property
    def named(self) -> "InstallationQuestion":
        """This question as answers repeat it: the proof is not sent back."""
        return replace(self, jwt="") if self.jwt else self

    def __repr__(self) -> str:
        return f"InstallationQuestion({self.digest}, {self.gateway_id}, {self.assignment_id})"


def _jwt_of(proof: Proof) -> str:
    return proof.jwt if isinstance(proof, JwtProof) else ""


def _proof_of(digest: str, jwt: str) -> Proof:
    return JwtProof.of(jwt) if jwt else TokenProof(digest)  # the digest of a whole token is never taken on trust


class ResolvedInstallation(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """One installation as a proxy may use it: the address, the credential's headers, and how to speak."""

    installation_id: str
    entry_id: str
    entry: str
    """The entry's slug."""
    owner: str
    """`user:ID`, `team:ID`, `service:ID` or `organisation`."""
    kind: RouteKind
    url: str
    version: int
    """Rises when the credential or the address changes: with each new token, too."""
    fixed_headers: list[tuple[str, str]] = []
    """The entry's own headers: over the caller's, under the credential's."""
    credential_headers: list[tuple[str, str]] = []
    protocol: Literal["auto", "legacy", "2026-07-28"] = "auto"
    revision: LegacyRevision = ""
    """Of a legacy server that is pinned to one; '' for the newest that both speak. Version 0.1 ignores it."""
    isolation: Literal["principal", "client_session", "shared"] = "principal"
    """Who may share a legacy upstream session."""
    deadline_s: float = 0
    """Longest wait for an answer; 0: the proxy's setting."""
    expires_at: float = 0
    """Unix seconds at which the credential ends, and this with it; 0: never."""
    installation: str = ""
    """The name by which its owner tells it from their others of the entry."""
    account: str = ""
    """The account at the provider that acts, as the provider names it; empty where that is not known."""
    signed_in_at: float = 0
    """Unix seconds at which it came to the account, the same through all renewals; 0 where it has none."""
    caller_token: bool = False
    """The caller's own signed token is the credential: whoever sends the call puts it into `authorization`."""
    made_for: str = ""
    """Whom alone it serves, where its credential is another for each caller or it tells of them: a principal's key,
    or the digest of the credential that they came with. '' where it is the installation's own."""
    obtained_at: float = 0.0
    """Unix seconds at which such a token was given: a newer one is told by it, beside the version. 0 for others."""
    request_id_header: str = ""
    """The header in which each call tells its request identifier; '' for none."""
    statement_headers: list[tuple[str, str]] = []
    """What the server is told of the caller by Archway's word, lower case. One with nothing in it is not sent."""
    egress: EgressRules = EgressRules()
    """To what a remote server's address is held: its environment's policy. A proxy of another version, which does not
    know this field, holds it to nothing."""
    environment: str = ""
    """The name of that environment; '' where it has no policy."""

    @cached_property
    def own_headers(self) -> dict[str, str]:
        """The credential's headers over the entry's own, and what is told of the caller, lower case. Shared by all
        calls: not to be changed.
        """
        told = [pair for pair in self.statement_headers if pair[1]]
        return {name.lower(): value for name, value in self.fixed_headers + self.credential_headers + told}

    @cached_property
    def not_passed(self) -> frozenset[str]:
        """As `look_alike` writes them: the headers of which no caller's own copy goes on, sent or not."""
        names = [name for name, _ in self.statement_headers]
        return frozenset(look_alike(name) for name in [*names, self.request_id_header] if name)

    @cached_property
    def shared_by(self) -> str:
        """Under which what is opened with it may be kept: what serves one caller alone is shared with no other."""
        return f"{self.installation_id}/{self.made_for}" if self.made_for else self.installation_id

    def is_newer(self, other: "ResolvedInstallation") -> bool:
        """Whether it is worth a try where the other was refused: another installation, or a newer credential."""
        if self.installation_id != other.installation_id:
            return True
        return (self.version, self.obtained_at) > (other.version, other.obtained_at)

    def carrying(self, proof: Proof) -> "ResolvedInstallation":
        """This with the caller's own token, where that is the credential; each time the same. It is in memory alone:
        what is kept elsewhere is this without it.
        """
        if not self.caller_token or not isinstance(proof, JwtProof):
            return self
        known: ResolvedInstallation | None = self.__dict__.get("carrying " + proof.digest)
        if known is None:
            known = replace(self, credential_headers=[("authorization", f"Bearer {proof.jwt}")])
            self.__dict__["carrying " + proof.digest] = known
        return known

    def __repr__(self) -> str:
        return f"ResolvedInstallation({self.entry}, {self.installation_id}, v{self.version})"


class InstallationRefusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why no installation can be had; the sentence is for the person behind the client."""

    code: Literal[
        "not_allowed", "credential_missing", "credential_ambiguous", "installation_gone", "needs_sign_in",
        "provider_away", "server_starting", "server_failed",
    ]  # fmt: skip
    """`provider_away`: it cannot be renewed now, and nobody has to sign in. An older proxy knows no newer words."""
    sentence: str
    link: str = ""
    """Of the page on which the person gives what is missing."""
    under_way: bool = False
    """It is being renewed or started, and was not there in the time that the question could wait: ask for longer."""


class InstallationAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to an `InstallationQuestion`: the installation or a refusal, exactly one of the two."""

    installation: ResolvedInstallation | None = msgspec.field(default=None, name="connection")
    """Called `connection` on the wire, as version 0.1 does."""
    refusal: InstallationRefusal | None = None


class InstallationQuestions(msgspec.Struct, frozen=True):
    """Many times the question of an installation, each with its own bearer."""

    questions: Annotated[list[InstallationQuestion], msgspec.Meta(max_length=MOST_IN_A_LIST)]


class AnsweredInstallation(msgspec.Struct, frozen=True):
    """One question of a list, and its answer."""

    question: InstallationQuestion
    """As `InstallationQuestion.named` has it."""
    answer: InstallationAnswer


class InstallationAnswers(msgspec.Struct, frozen=True):
    """The answers to `InstallationQuestions`, in any order. What is left out is to be asked alone."""

    answers: list[AnsweredInstallation]
