"""The simulated Twilio: an aiohttp server of its own process, in memory, without Django.

`model` and `world` hold the state, `door` lets requests in (authentication, dials, errors), one module per topic
answers them, `progress` and `callbacks` move messages on and tell the customer's webhooks. `control` is our own JSON
API beside it.
"""
