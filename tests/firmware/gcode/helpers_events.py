"""Command events as the core would make them, from a line of text: for tests of what comes after the core."""

import re


class FakeEvent:
    """The fields of hal.stepcore.Event that the G-code rules read."""

    def __init__(self, text, line=1, column=1):
        words = text.split(";")[0].split()
        head = re.fullmatch(r"([A-Z])(\d+)(?:\.(\d+))?", words[0])
        self.kind = 2
        self.code = 0
        self.letter = head[1]
        self.number = int(head[2])
        self.sub = int(head[3] or 0)
        self.line = line
        self.column = column
        self.words = 0
        self.values = {}
        for word in words[1:]:
            number = word[1:]
            self.values[word[0]] = round(float(number) * 1e6) if number else 0
            self.words |= 1 << (ord(word[0]) - 65)

    def value(self, letter):
        return self.values.get(letter)
