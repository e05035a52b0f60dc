"""Token buckets: what may be taken when, and what a table of them remembers."""

import pytest

from rules.rate_limit import Buckets, Rate, TokenBucket

TWO_A_SECOND = Rate(rate=2, size=5)


@pytest.mark.parametrize(
    ("moments", "taken"),
    [
        ([0] * 7, 5),  # as many as it holds, at once
        ([0] * 7 + [0.4], 5),  # not yet one more
        ([0] * 7 + [0.5], 6),
        ([0] * 7 + [100] * 7, 10),  # no more than it holds, however long it was quiet
        ([0.5 * at for at in range(50)], 50),  # at its own pace, for ever
    ],
)
def test_a_bucket_gives_what_it_holds_and_then_its_rate(moments: list[float], taken: int) -> None:
    bucket = TokenBucket(TWO_A_SECOND, 0)
    assert sum(bucket.take(moment) for moment in moments) == taken


def test_what_is_refused_costs_nothing() -> None:
    bucket = TokenBucket(TWO_A_SECOND, 0)
    assert not bucket.take(0, 6)
    assert bucket.take(0, 5)


def test_what_has_happened_is_paid_for_before_more_is_taken() -> None:
    bucket = TokenBucket(TWO_A_SECOND, 0)
    assert bucket.spend(0, 5)
    assert not bucket.spend(0, 1)
    assert not bucket.take(0.5)
    assert bucket.take(1)


def test_a_debt_is_no_more_than_a_bucket_holds() -> None:
    bucket = TokenBucket(TWO_A_SECOND, 0)
    bucket.spend(0, 1_000_000)
    assert bucket.wait(0, 1) == 3


def test_the_wait_that_is_told_is_long_enough_and_no_longer() -> None:
    bucket = TokenBucket(TWO_A_SECOND, 0)
    assert bucket.wait(0) == 0
    bucket.spend(0, 5)
    wait = bucket.wait(0, 3)
    assert not bucket.take(wait - 0.01, 3)
    assert bucket.take(wait, 3)


def test_more_than_a_bucket_holds_is_waited_for_no_longer_than_until_it_is_full() -> None:
    assert TokenBucket(TWO_A_SECOND, 0).wait(0, 100) == 0


def test_each_key_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(TWO_A_SECOND, 100)
    assert [buckets.take("an", 0) for _ in range(6)] == [True] * 5 + [False]
    assert buckets.take("binh", 0)
    assert buckets.wait("an", 0) == 0.5
    assert buckets.wait("cuc", 0) == 0
    assert not buckets.spend("an", 0, 1)


def test_buckets_that_are_full_again_are_forgotten() -> None:
    buckets = Buckets(TWO_A_SECOND, 1000)
    for key in range(100):
        buckets.take(key, 0)
    for key in range(100, 200):
        buckets.take(key, 10)
    assert len(buckets) == 100


def test_there_are_never_more_than_so_many_and_the_longest_unused_goes() -> None:
    buckets = Buckets(TWO_A_SECOND, 3)
    for _ in range(5):
        buckets.take("an", 0)
    for stranger in range(1000):
        buckets.take(stranger, 0)
        assert not buckets.take("an", 0)
        assert len(buckets) <= 3
