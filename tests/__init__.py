"""The tests.

What several of them share is in modules beside them, which they import from here, such as
``tests.openflow.generators``.
"""
