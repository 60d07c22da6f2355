"""The printer's texts in French; see catalog.py."""

TEXT = """\
"job-state.3" = "En attente";
"job-state.4" = "Retenu";
"job-state.5" = "En cours d'impression";
"job-state.6" = "Arrêté";
"job-state.7" = "Annulé";
"job-state.8" = "Interrompu";
"job-state.9" = "Terminé";
"notify-events.printer-config-changed" = "Réglages modifiés";
"notify-events.printer-queue-order-changed" = "Ordre des travaux modifié";
"printer-state.3" = "Inactive";
"printer-state.4" = "Impression en cours";
"printer-state.5" = "Arrêtée";
"printwright.job" = "Travail %d";
"printwright.printer" = "Imprimante";
"printwright.resource" = "Ressource %d";
"resource-state.3" = "En attente";
"resource-state.4" = "Disponible";
"resource-state.5" = "Installée";
"resource-state.6" = "Annulée";
"resource-state.7" = "Interrompue";
"""
