"""What the built-in page tells of the printer, in the reader's language.  Called by seldom(): nothing of it stays."""

from firmware.strings import catalog


def facts(app, language):
    """[(label, text), ...] of an app.App."""
    texts = catalog.load(language)

    def word(key):
        return catalog.word(texts, key)

    status = app.runner.status
    state = word("printer-state.%d" % status.printer_state)
    if status.state_reasons:
        state += " (%s)" % ", ".join([word("printer-state-reasons." + reason) for reason in status.state_reasons])
    found = [(word("printwright.printer"), app.machine.description["printer"]["title"]), (word("printer-state"), state)]
    if status.state_message:
        found.append((word("printwright.message"), status.state_message))
    if status.job_id is not None:
        found.append((word("printwright.job") % status.job_id, "%d %%" % status.progress))
    for name, current_c, target_c in app.heating.readings():
        text = "?" if current_c is None else "%d \xb0C" % int(current_c + 0.5)
        found.append((word("printwright.heater." + name), text + " \u2192 %d \xb0C" % target_c if target_c else text))
    if app.motion.bed is not None:
        found.append((word("printwright.mesh"), app.motion.bed.facts()))
    found.append((word("printwright.jobs-waiting"), "%d" % app.queue.count_active()))
    return found
