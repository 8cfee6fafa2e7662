"""The endpoints as an OpenAPI description, for sites that install the extra ``openapi``.

Nothing here is imported unless a site's ``SPECTACULAR_SETTINGS`` are ``settings.SPECTACULAR``.
"""
