"""The table of job states, on both Pythons."""

import unittest

from firmware.jobs import states

# RFC 8011 section 5.3.7 and figure 3: the moves that a job may make
LEGAL = {(3, 4), (4, 3), (3, 5), (5, 6), (6, 5), (5, 9), (3, 7), (4, 7), (5, 7), (6, 7), (3, 8), (4, 8), (5, 8), (6, 8)}


class TestStates(unittest.TestCase):
    def test_every_pair(self):
        for old in range(3, 10):
            for new in range(3, 10):
                legal = (old, new) in LEGAL or (old == new and old < 7)
                try:
                    states.check(old, new)
                    self.assertTrue(legal, (old, new))
                except states.IllegalMove as e:
                    self.assertFalse(legal, (old, new))
                    self.assertEqual((e.old, e.new), (old, new))

    def test_unknown_states(self):
        for old, new in ((0, 3), (3, 0), (2, 3), (3, 10), (10, 3)):
            self.assertRaises(states.IllegalMove, states.check, old, new)

    def test_names_and_reasons_for_all(self):
        for state in range(3, 10):
            self.assertTrue(states.NAMES[state])
            self.assertTrue(state in states.DEFAULT_REASONS)
            self.assertEqual(states.ended(state), state >= 7)
            self.assertEqual(states.MOVES[state] == (), state >= 7)


if __name__ == "__main__":
    unittest.main()
