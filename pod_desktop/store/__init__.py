"""Where events live. Other rooms import what stands here."""
