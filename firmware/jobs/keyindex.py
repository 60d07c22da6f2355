"""Key -> place, as a hash table in two arrays of fixed size: 10 bytes a key, and nothing allocated after the start.

Python's own dict would do the same with 10 (MicroPython) to 100 bytes (CPython) a key and grow in jumps, which fragments a board's
heap.  Not here: what a place means (records.py).
"""

from array import array


class KeyIndex:
    """Up to `capacity` keys (32-bit, any value) with a place each (32-bit, not 0)."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.count = 0
        # a quarter of the slots stays empty, so that probing stays short
        self._slots = capacity + capacity // 4 + 1
        self._keys = array("I", bytes(4 * self._slots))
        self._places = array("I", bytes(4 * self._slots))

    def _slot(self, key):
        slots = self._slots
        at = key % slots
        while self._places[at] and self._keys[at] != key:
            at += 1
            if at == slots:
                at = 0
        return at

    def get(self, key):
        """The key's place, 0 when there is none."""
        return self._places[self._slot(key)]

    def set(self, key, place):
        """Adds the key or changes its place; False when there is no room for another key."""
        at = self._slot(key)
        if not self._places[at]:
            if self.count == self.capacity:
                return False
            self.count += 1
            self._keys[at] = key
        self._places[at] = place
        return True

    def remove(self, key):
        """Forgets the key, if it is there."""
        places = self._places
        keys = self._keys
        slots = self._slots
        hole = self._slot(key)
        if not places[hole]:
            return
        self.count -= 1
        # entries behind the hole that probing would no longer find move into it
        at = hole
        while True:
            at += 1
            if at == slots:
                at = 0
            if not places[at]:
                break
            if (at - keys[at]) % slots >= (at - hole) % slots:
                keys[hole] = keys[at]
                places[hole] = places[at]
                hole = at
        places[hole] = 0

    def clear(self):
        """Forgets all keys."""
        if not self.count:
            return
        for at in range(self._slots):
            self._places[at] = 0
        self.count = 0

    def keys(self):
        """Generator of all keys, in no order; the table must not change meanwhile."""
        for at in range(self._slots):
            if self._places[at]:
                yield self._keys[at]
