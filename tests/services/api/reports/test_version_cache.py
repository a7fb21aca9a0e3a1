from services.api.reports.version_cache import VersionCache


def test_a_value_is_of_one_version() -> None:
    cache = VersionCache(10_000)
    cache.put("list", "1", "old", 10)

    assert cache.get("list", "1") == "old"
    assert cache.get("list", "2") is None
    assert cache.get("other", "1") is None
    cache.put("list", "2", "new", 10)
    assert cache.get("list", "2") == "new"
    assert cache.get("list", "1") is None


def test_what_was_used_least_recently_is_forgotten() -> None:
    cache = VersionCache(3_000)
    for name in ("a", "b", "c"):
        cache.put(name, "1", name, 400)
    assert cache.get("a", "1") == "a"
    cache.put("d", "1", "d", 400)

    assert [name for name in "abcd" if cache.get(name, "1")] == ["a", "c", "d"]


def test_the_bytes_of_all_values_are_bounded() -> None:
    cache = VersionCache(100_000)
    for number in range(1_000):
        cache.put(number % 300, str(number), number, number)
    assert cache._size == sum(entry.size for entry in cache._entries.values()) <= 100_000
    cache.put("too large", "1", "x", 100_001)
    assert cache.get("too large", "1") is None
