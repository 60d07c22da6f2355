"""The printer's texts in Spanish; see catalog.py."""

TEXT = """\
"job-state.3" = "Pendiente";
"job-state.4" = "Retenido";
"job-state.5" = "Imprimiéndose";
"job-state.6" = "Detenido";
"job-state.7" = "Cancelado";
"job-state.8" = "Anulado";
"job-state.9" = "Terminado";
"notify-events.printer-config-changed" = "Ajustes modificados";
"notify-events.printer-queue-order-changed" = "Orden de los trabajos modificado";
"printer-state.3" = "Inactiva";
"printer-state.4" = "Imprimiendo";
"printer-state.5" = "Detenida";
"printwright.job" = "Trabajo %d";
"printwright.printer" = "Impresora";
"printwright.resource" = "Recurso %d";
"resource-state.3" = "Pendiente";
"resource-state.4" = "Disponible";
"resource-state.5" = "Instalado";
"resource-state.6" = "Cancelado";
"resource-state.7" = "Anulado";
"""
