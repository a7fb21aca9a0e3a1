"""The recipients of a send, and the addresses that are skipped."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.api.core.refusals import Invalid
from services.api.sends.send import Skipped
from shared.deliveries.reasons import ReasonCode
from shared.mail.address import OCTETS_MAX, Address
from shared.mail.stored import stored_addresses
from shared.text import cut

# Addresses beyond the limit on recipients that a request may name: some may be suppressed.
_SPARE = 25
_LONGEST_REASON = 100  # characters; each send and page repeats it, the suppression has it in full
_LONGEST_DETAIL = 1000  # characters of a refusal that names skipped addresses


class Suppressed(NamedTuple):
    """Why a business no longer mails an address, and the code of that reason."""

    reason: str
    code: str


@dataclass(frozen=True)
class Candidates:
    """All addresses that are to receive a send, in order, and stored ones that are malformed."""

    addresses: tuple[Address, ...]
    malformed: tuple[Skipped, ...]

    @classmethod
    def gather(
        cls,
        *,
        customer: str | None,
        others: Iterable[Address],
        business: str | None,
        copy_to_me: bool,
    ) -> "Candidates":
        """Collect the customer's addresses, the request's, and the business's own for a copy.

        A customer without an address is not an error: `others` may receive the send instead.
        """
        addresses: dict[str, Address] = {}
        malformed: dict[str | None, Skipped] = {}

        def add(stored: str) -> None:
            try:
                address = Address.parse(stored)
            except ValueError as error:
                malformed[stored] = _skipped(
                    stored, f"malformed: {error}", ReasonCode.RECIPIENT_MALFORMED
                )
            else:
                addresses.setdefault(address.key, address)

        for stored in stored_addresses(customer):
            add(stored)
        for other in others:
            addresses.setdefault(other.key, other)
        copies = stored_addresses(business) if copy_to_me else ()
        for stored in copies:
            add(stored)
        if copy_to_me and not copies:
            reason = "no copy: the business has no e-mail address"
            malformed[None] = Skipped(
                email=None, reason=reason, reason_code=ReasonCode.NO_COPY_ADDRESS
            )
        return cls(tuple(addresses.values()), tuple(malformed.values()))

    def and_then(self, others: "Candidates") -> "Candidates":
        """Return these candidates and after them the others, each address once."""
        addresses = {each.key: each for each in (*others.addresses, *self.addresses)}
        keys = dict.fromkeys(each.key for each in (*self.addresses, *others.addresses))
        malformed = dict.fromkeys((*self.malformed, *others.malformed))
        return Candidates(tuple(addresses[key] for key in keys), tuple(malformed))


@dataclass(frozen=True)
class Recipients:
    """The recipients, each exactly once and in order, and the skipped addresses with a reason."""

    addresses: tuple[Address, ...]
    skipped: tuple[Skipped, ...]

    @classmethod
    def choose(
        cls,
        candidates: Candidates,
        suppressed: Mapping[str, Suppressed],
        *,
        limit: int,
        field: str = "other_emails",
    ) -> "Recipients":
        """Return the candidates without those in `suppressed` (reasons by address key).

        Raises Invalid about `field` if no recipient is left, or too many are.
        """
        if len(candidates.addresses) > limit + _SPARE:
            count = len(candidates.addresses)
            raise Invalid(field, f"names {count} addresses, the limit is {limit} recipients")
        receiving = tuple(a for a in candidates.addresses if a.key not in suppressed)
        skipped = skipped_addresses(candidates, suppressed)
        if not receiving:
            raise Invalid(field, f"leaves no recipient: {_why(skipped)}")
        if len(receiving) > limit:
            raise Invalid(field, f"results in {len(receiving)} recipients, the limit is {limit}")
        return cls(receiving, skipped)


def skipped_addresses(
    candidates: Candidates, suppressed: Mapping[str, Suppressed]
) -> tuple[Skipped, ...]:
    """Return the candidates that are malformed or suppressed, each with its reason."""
    return (*candidates.malformed, *_suppressed(candidates, suppressed))


def _suppressed(candidates: Candidates, suppressed: Mapping[str, Suppressed]) -> Iterator[Skipped]:
    for address in candidates.addresses:
        if (why := suppressed.get(address.key)) is not None:
            yield _skipped(address.email, f"suppressed: {why.reason}", why.code)


def _skipped(email: str, reason: str, code: str) -> Skipped:
    return Skipped(
        email=cut(email, OCTETS_MAX), reason=cut(reason, _LONGEST_REASON), reason_code=code
    )


def _why(skipped: Iterable[Skipped]) -> str:
    reasons = [f"{each.email or 'business'} ({each.reason})" for each in skipped]
    said = ", ".join(reasons) or "the customer has no e-mail address and no other was given"
    return cut(said, _LONGEST_DETAIL)
