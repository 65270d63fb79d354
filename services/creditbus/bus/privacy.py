"""What keeps natural persons unknown downstream: the token of a number, and sealed personal data.

The vault holds one data key a person; destroying it forgets the person, since everything personal was sealed with it.
The lab keeps the vault in a file; production puts a key management system behind the same two methods.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

TOKEN_VERSION = 1
_KEY_BYTES = 32


def person_token(platform_key: bytes, number: str) -> str:
    """Key of a natural person: HMAC-SHA-256 of the normalised number, with the version of the platform's key."""
    digest = hmac.digest(platform_key, number.encode(), "sha256").hex()
    return f"p:{TOKEN_VERSION}:{digest[:40]}"


class Vault:
    """Data keys of persons in one SQLite file; a key is durable before it is first used."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=15)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("CREATE TABLE IF NOT EXISTS keys (subject TEXT PRIMARY KEY, key BLOB NOT NULL)")

    def key_of(self, subject: str) -> bytes:
        """The person's data key, made at first use; two processes that race get the same one."""
        row = self._db.execute("SELECT key FROM keys WHERE subject = ?", (subject,)).fetchone()
        if row is None:
            made = (subject, secrets.token_bytes(_KEY_BYTES))
            self._db.execute("INSERT INTO keys VALUES (?, ?) ON CONFLICT DO NOTHING", made)
            row = self._db.execute("SELECT key FROM keys WHERE subject = ?", (subject,)).fetchone()
        return bytes(row[0])

    def seal(self, subject: str, data: bytes) -> bytes:
        """Encrypt under the person's key (AES-SIV: the same data gives the same bytes, so a retry changes nothing)."""
        return AESSIV(self.key_of(subject)).encrypt(data, [subject.encode()])

    def open(self, subject: str, sealed: bytes) -> bytes:
        """Decrypt. Raises cryptography.exceptions.InvalidTag when the key is gone or another one."""
        return AESSIV(self.key_of(subject)).decrypt(sealed, [subject.encode()])

    def destroy(self, subject: str) -> None:
        """Forget the person: what was sealed can never be read again."""
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute("DELETE FROM keys WHERE subject = ?", (subject,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()
