"""pregon: a city network's announcements, from the source document to a figure that can be traced."""

__version__ = "0.1.0"
