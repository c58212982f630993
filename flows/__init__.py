"""The flows. Thin: each calls one use case of the pipeline and says what came of it. No logic lives here."""
