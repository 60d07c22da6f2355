"""The printer's texts in English; see catalog.py."""

TEXT = """\
"job-state.3" = "Pending";
"job-state.4" = "Held";
"job-state.5" = "Printing";
"job-state.6" = "Stopped";
"job-state.7" = "Canceled";
"job-state.8" = "Aborted";
"job-state.9" = "Completed";
"notify-events.printer-config-changed" = "Settings changed";
"notify-events.printer-queue-order-changed" = "Order of jobs changed";
"printer-state.3" = "Idle";
"printer-state.4" = "Printing";
"printer-state.5" = "Stopped";
"printwright.job" = "Job %d";
"printwright.printer" = "Printer";
"printwright.resource" = "Resource %d";
"resource-state.3" = "Pending";
"resource-state.4" = "Available";
"resource-state.5" = "Installed";
"resource-state.6" = "Canceled";
"resource-state.7" = "Aborted";
"""
