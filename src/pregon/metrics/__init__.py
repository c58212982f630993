"""Events and samples -> figures that can be traced. Pure; machines are kept apart from people."""

from pregon.metrics.funnels import add_funnels, click_rate
from pregon.metrics.labels import label_clicks, label_event

__all__ = ["add_funnels", "click_rate", "label_clicks", "label_event"]
