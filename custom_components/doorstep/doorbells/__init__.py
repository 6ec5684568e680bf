"""Where footage comes from: the doorbells of the home and their events.

The one room that knows Home Assistant: it listens to webhooks, runs a recorder for each doorbell
and tells the entities. What is recorded, and how, belongs to the footage room.
"""
