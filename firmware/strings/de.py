"""The printer's texts in German; see catalog.py."""

TEXT = """\
"job-state.3" = "Wartet";
"job-state.4" = "Zurückgehalten";
"job-state.5" = "Druckt";
"job-state.6" = "Angehalten";
"job-state.7" = "Abgebrochen";
"job-state.8" = "Fehlgeschlagen";
"job-state.9" = "Fertig";
"notify-events.printer-config-changed" = "Einstellungen geändert";
"notify-events.printer-queue-order-changed" = "Reihenfolge der Aufträge geändert";
"printer-state.3" = "Bereit";
"printer-state.4" = "Druckt";
"printer-state.5" = "Angehalten";
"printwright.job" = "Auftrag %d";
"printwright.printer" = "Drucker";
"printwright.resource" = "Ressource %d";
"resource-state.3" = "Wartet";
"resource-state.4" = "Verfügbar";
"resource-state.5" = "Installiert";
"resource-state.6" = "Abgebrochen";
"resource-state.7" = "Fehlgeschlagen";
"""
