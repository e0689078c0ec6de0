"""A mail program: it signs in to IMAP, opens the inbox, and stays until it is thrown out."""

import imaplib
import sys
from pathlib import Path

port, user, secret = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text(encoding="ascii").strip()
imap = imaplib.IMAP4("127.0.0.1", port)
try:
    imap.login(user, secret)
except imaplib.IMAP4.error as error:
    sys.exit(f"refused: {error}")
print(f"signed in, {int(imap.select()[1][0])} messages", flush=True)
imap.send(b"waits IDLE\r\n")  # RFC 2177: the server tells when something happens
while line := imap.readline():
    print(line.decode().strip(), flush=True)
print("thrown out", flush=True)
