"""End the run."""

from messaging.automations.base import End, Node, Outcome, Step


class StopNode(Node):
    """Nothing after it is done; in a branch, it ends the whole run."""

    key = "stop"
    title = "Stop"
    text = "End here. Steps below are not done."
    icon = "stop_circle"
    group = "Flow"
    writes = False

    def run(self, step: Step) -> Outcome:
        return End("Ended by the step Stop.")
