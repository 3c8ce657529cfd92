"""Talking to Twilio. The only package that imports Twilio's SDK; everybody else sees typed results and our own errors.

errors, error_table    what can go wrong, in decisions and in words
client, async_client   the gateways: one at a time (pages, checks, sweeps), and many at once (the sending engine)
outgoing, results      what goes in and what comes out
signatures             is this webhook really Twilio's?
http, async_http       the two HTTP clients the SDK is given; addresses, border and redaction serve both
"""
