"""Each reason code has one class to count it by."""

from collections import Counter

from shared.deliveries.reason_classes import _CODES, CLASSES, ReasonClass, class_of
from shared.deliveries.reasons import ReasonCode


def test_each_code_has_exactly_one_class() -> None:
    listed = Counter(code for codes in _CODES.values() for code in codes)
    assert listed == Counter(ReasonCode)
    assert CLASSES.keys() == set(ReasonCode)


def test_no_code_and_a_code_of_a_later_version_have_a_class_too() -> None:
    assert class_of(None) is ReasonClass.NONE
    assert class_of("invented_next_year") is ReasonClass.UNKNOWN
    assert class_of(ReasonCode.POLICY_REFUSED) is ReasonClass.POLICY
