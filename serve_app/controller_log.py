"""What Ray Serve's controller says on a user's terminal: without alarms that are none on one machine.

`RAY_SERVE_CONTROLLER_CALLBACK_IMPORT_PATH` names `drop_false_alarms`: the controller calls it when it starts.
"""

import logging

CALLBACK_PATH = "serve_app.controller_log:drop_false_alarms"
_SERVE_LOGGER = "ray.serve"
_FALSE_ALARMS = (
    # Said of every deployment that does not start on demand, beside one that does (Serve 2.60).
    "Cannot deregister autoscaling state",
    # There is no other node whose HAProxy could want to come in.
    "HTTPOptions.host=",
)


def drop_false_alarms() -> None:
    """Leave them out of what this process logs for Serve."""
    logging.getLogger(_SERVE_LOGGER).addFilter(_is_meant)


def _is_meant(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_FALSE_ALARMS)
