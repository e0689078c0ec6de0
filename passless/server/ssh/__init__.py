"""What hosts ask for sshd, `GET /relying-parties/keys?user=NAME`, and tell of it, `POST /relying-parties/sign-ins`.

Both come with the relying party's client id and secret.
"""

from passless.server.ssh.routes import router

__all__ = ["router"]
