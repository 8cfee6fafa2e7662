"""The OpenAPI description of the endpoints, made by drf-spectacular from the views and their serializers.

Only ``settings`` is imported, unless a site publishes the description.
"""
