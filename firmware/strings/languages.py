"""The languages that there are texts in, the first for whoever wants another one.  The texts: catalog.py, which a board loads for a use."""

LANGUAGES = ("en", "de", "fr", "es", "ja")


def nearest(asked):
    """One of LANGUAGES for a naturalLanguage (str) as "de-at"."""
    wanted = asked.lower().split("-")[0]
    return wanted if wanted in LANGUAGES else LANGUAGES[0]
