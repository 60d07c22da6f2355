"""All operations that this printer has, in one table; operations-supported lists exactly these."""

from firmware.ipp import control_ops, job_ops, printer_ops, queue_ops, settings_ops


def table():
    """{operation-id: (async handler(ctx) -> Response, target)}."""
    result = {}
    for module in (printer_ops, job_ops, queue_ops, control_ops, settings_ops):
        result.update(module.OPERATIONS)
    return result
