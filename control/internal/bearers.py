"""Whose the proofs in questions are: tokens by their digest, signed ones whole; and who calls, of a verdict on one.

Called by `questions.py`. Pure; verdicts come of `control/store/tokens.py` and `signed_callers.py`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from control.credentials.calling import Calling
from control.credentials.whose import caller_kind
from control.identity.unchecked import audience_of
from core.resolve import CallerVerdict, InstallationQuestion, JwtProof, Principal, Proof, TokenProof

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def of_tokens(proofs: Iterable[Proof]) -> set[str]:
    """The digests of `arch_` tokens among these proofs, if they are any."""
    return {proof.digest for proof in proofs if isinstance(proof, TokenProof) and _DIGEST.fullmatch(proof.digest)}


def signed_among(proofs: Iterable[Proof]) -> list[JwtProof]:
    """The signed tokens among these proofs, each once."""
    return list({proof.digest: proof for proof in proofs if isinstance(proof, JwtProof)}.values())


def bearer(question: InstallationQuestion, verdicts: Mapping[str, CallerVerdict]) -> Calling | None:
    """Who proves themselves so; nobody by a proof of another kind than the verdict is about."""
    verdict = verdicts.get(question.proof.digest)
    if verdict is None or verdict.principal is None or not verdict.is_about(question.proof):
        return None
    return calling_of(question, verdict, verdict.principal)


def calling_of(question: InstallationQuestion, verdict: CallerVerdict, principal: Principal) -> Calling:
    """Who calls, of a verdict on the very proof of the question."""
    by_provider = verdict.auth == "jwt"
    return Calling(
        principal,
        caller_kind(principal, verdict.auth, by_assertion=verdict.by_assertion),
        question.proof,
        question.gateway_id,
        audience_of(question.jwt) if by_provider else "",
        verdict.expires or 0.0,
    )
