"""The canonical spelling of an identifier, before any check."""

import unicodedata


def normalise_identifier(raw: str) -> str:
    """Canonical spelling: NFKC, capitals, without spaces, hyphens and invisible characters.

    Any text is accepted; what remains besides letters and digits is for the grading to flag. Idempotent.
    """
    if raw.isascii():
        # the hot path: nearly all identifiers arrive clean
        return raw.upper() if raw.isalnum() else "".join(filter(_is_kept, raw.upper()))
    # capitals can be decomposed sequences and removal can join what then composes: hence the second NFKC
    capitals = unicodedata.normalize("NFKC", raw).upper()
    return unicodedata.normalize("NFKC", "".join(filter(_is_kept, capitals))).upper()


def _is_kept(character: str) -> bool:
    """False for white space, any dash (Pd, and the minus sign) and invisible format characters (Cf)."""
    if character.isspace() or character == "\N{MINUS SIGN}":
        return False
    return unicodedata.category(character) not in ("Pd", "Cf")
