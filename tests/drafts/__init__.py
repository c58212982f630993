"""Tests of the drafts stage."""
