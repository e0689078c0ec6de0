"""What a sign-in to a mail server costs, with Dovecot asking passless and asking what it usually asks."""
