"""The ways out: one folder per provider, each speaking through the provider's own client library.

A channel turns a shipment into outcomes. It decides nothing about retrying, keeps no state and reads no settings.
"""
