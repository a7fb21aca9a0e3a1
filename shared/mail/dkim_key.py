"""The keys of DKIM signatures: as DKIM_KEYS has them, and as records of the DNS."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from shared.mail.address import Unsendable, wire_form

# RFC 8301: shorter keys are too weak, and verifiers need not know longer ones.
_BITS: Final = range(2048, 4096 + 1)
_DEFAULT_BITS: Final = 2048
_NAME_CHARS_MAX: Final = 253
_STRING_OCTETS_MAX: Final = 255  # of one string of a TXT record
_INFIX: Final = "._domainkey."
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_BEGIN, _END = "-----BEGIN ", "-----END "

KeyType = Literal["rsa", "ed25519"]


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key, and the name under which the DNS has its public half."""

    selector: str
    domain: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def make(cls, selector: str, domain: str, kind: KeyType) -> Self:
        """Return a new key. Raises ValueError if the selector or the domain is none."""
        given = _name(f"{selector}{_INFIX}{domain}")
        if kind == "rsa":
            return cls(*given, generate_private_key(65537, _DEFAULT_BITS))
        return cls(*given, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, name: str, pem: str) -> Self:
        """Return the key of a name and a PEM block. Raises ValueError."""
        selector, domain = _name(name)
        try:
            private = load_pem_private_key(pem.encode(), password=None)
        except TypeError:
            raise ValueError(f"the key of {name} is encrypted") from None
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError(f"the key of {name} cannot be read") from None
        if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
            raise ValueError(  # noqa: TRY004 -- the text is at fault, not the caller
                f"the key of {name} is neither RSA nor Ed25519"
            )
        if isinstance(private, RSAPrivateKey) and private.key_size not in _BITS:
            raise ValueError(
                f"the RSA key of {name} has {private.key_size} bits: it should have"
                f" {_BITS.start} to {_BITS.stop - 1}"
            )
        return cls(selector, domain, private)

    @property
    def name(self) -> str:
        """The name of its record in the DNS."""
        return f"{self.selector}{_INFIX}{self.domain}"

    @property
    def kind(self) -> KeyType:
        """The type of key, as records name it."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    @property
    def algorithm(self) -> str:
        """The algorithm as signatures name it."""
        return f"{self.kind}-sha256"

    @property
    def public(self) -> str:
        """The public half in base64, as its record has it."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)  # RFC 8463, 4
        return b64encode(octets).decode()

    @property
    def record(self) -> str:
        """The TXT record in the form of zone files, in strings of at most 255 octets."""
        text = f"v=DKIM1; k={self.kind}; p={self.public}"
        strings = [
            text[begin : begin + _STRING_OCTETS_MAX]
            for begin in range(0, len(text), _STRING_OCTETS_MAX)
        ]
        lines = "\n    ".join(f'"{each}"' for each in strings)
        return f"{self.name}. IN TXT (\n    {lines} )"

    @property
    def text(self) -> str:
        """The key as DKIM_KEYS has it: a secret."""
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return f"{self.name}\n{pem.decode()}"

    def sign(self, data: bytes) -> bytes:
        """Return the signature of these octets."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(hashlib.sha256(data).digest())  # RFC 8463, 3


def read_keys(text: str) -> tuple[DkimKey, ...]:
    """Return the keys in DKIM_KEYS. Raises ValueError, whose text has nothing of a key."""
    keys = tuple(DkimKey.read(name, pem) for name, pem in _blocks(text))
    names = [key.name for key in keys]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"has two keys of {name}")
    return keys


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield each name with the PEM block after it."""
    name, block = None, list[str]()
    for line in filter(None, map(str.strip, text.splitlines())):
        if not block and not line.startswith(_BEGIN):
            if name is not None:
                break
            name = line
            continue
        block.append(line)
        if line.startswith(_END):
            if name is None:
                break
            yield name, "\n".join(block)
            name, block = None, []
    if name is not None or block:
        raise ValueError(
            "should have before each key in PEM a line with its name, SELECTOR._domainkey.DOMAIN"
        )


def _name(text: str) -> tuple[str, str]:
    """Return the selector and the domain of a record's name."""
    selector, infix, domain = text.lower().removesuffix(".").partition(_INFIX)
    try:
        ascii_domain = wire_form(f"post@{domain}")[1].lower()
    except Unsendable:
        ascii_domain = ""
    if not infix or not ascii_domain or not _SELECTOR.fullmatch(selector):
        raise ValueError(
            "the name of a key should be SELECTOR._domainkey.DOMAIN, the selector of letters,"
            " digits and hyphens"
        )
    if len(selector) + len(_INFIX) + len(ascii_domain) > _NAME_CHARS_MAX:
        raise ValueError(f"the name of a key has more than {_NAME_CHARS_MAX} characters")
    return selector, ascii_domain
