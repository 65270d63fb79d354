"""Identifiers of subjects: which standard, how good, and which subject they name.

Codes of GB 32100 (USCC), GB 11714 (organisation), GB 11643 (citizen), GS 15-2006 (registration) and the old tax
number. A code is never simply "valid": grade() answers with flags, of which BLOCKING ones forbid to derive a subject.
Imports nothing of creditbus. Start at grading.py; the vocabulary is in schemes.py.
"""

from creditbus.core.identifiers.grading import (
    grade,
    is_blocked,
    is_sole_trader,
    subject_class_of,
    subject_key_of,
)
from creditbus.core.identifiers.normalising import normalise_identifier
from creditbus.core.identifiers.regions import (
    PROVINCES,
    REGISTRARS,
    RegionSpan,
    RegionTable,
    codes_in,
    covers,
    current_region,
    lies_in,
    wholes_of,
)
from creditbus.core.identifiers.schemes import BLOCKING, AuthorityTypes, Flag, Graded, Scheme
from creditbus.core.identifiers.synthetic import SYNTHETIC_PREFIX, synthetic_citizen, synthetic_uscc

__all__ = [
    "BLOCKING",
    "PROVINCES",
    "REGISTRARS",
    "SYNTHETIC_PREFIX",
    "AuthorityTypes",
    "Flag",
    "Graded",
    "RegionSpan",
    "RegionTable",
    "Scheme",
    "codes_in",
    "covers",
    "current_region",
    "grade",
    "is_blocked",
    "is_sole_trader",
    "lies_in",
    "normalise_identifier",
    "subject_class_of",
    "subject_key_of",
    "synthetic_citizen",
    "synthetic_uscc",
    "wholes_of",
]
