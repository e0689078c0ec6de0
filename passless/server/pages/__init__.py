"""The pages: everything a person does with their account in a browser."""

from passless.server.pages.routing import router

__all__ = ["router"]
