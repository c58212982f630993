"""Stand-ins for SendGrid, X and YouTube on this machine, spoken to over real HTTP by the real client libraries.

Each checks what it gets against the provider's published rules, answers in the provider's own shapes and remembers
in SQLite. Readers follow a seeded plan. Nothing here ever calls an address outside this machine.
"""

from pregon.sandbox.server import Sandbox, read_webhook_key, running_sandbox, serve_sandbox

__all__ = ["Sandbox", "read_webhook_key", "running_sandbox", "serve_sandbox"]
