"""Names that nobody gives themselves on a server, because programs and other people take who has them for somebody else.

A host has users of these names, and asks the server who they are; mail to some of them goes to whoever runs the domain, and a
certificate for it is given to who reads that mail (RFC 2142; CA/Browser Forum Baseline Requirements §3.2.2.4.4). Operators over
everybody give them, by an invitation, and so does whoever works on the server's host.
"""

from __future__ import annotations

from passless.domain import names
from passless.domain.names import BadName

_USERS = """
root toor daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody nogroup operator adm
messagebus systemd-network systemd-resolve systemd-timesync systemd-journal systemd-coredump polkitd avahi sshd ssh ftp git
svn http httpd apache nginx caddy traefik haproxy squid postgres postgresql mysql mariadb mongodb redis memcache ldap
openldap dovecot dovenull vmail postfix exim debian-exim opendkim rspamd clamav amavis freerad radius radiusd ntp chrony
tcpdump tss colord sudo wheel docker libvirt-qemu jenkins gitlab deploy ansible vagrant ubuntu debian fedora centos ec2-user
pi rocky almalinux opc cloud-user azureuser core arch alpine kali opensuse freebsd guest oracle tomcat nextcloud named bind
unbound dnsmasq gdm sssd staff users shutdown halt www wwwrun dbus
"""  # of Debian, and of what is often installed beside it or in its images
_MAILBOXES = """
admin administrator postmaster hostmaster webmaster abuse noc security usenet mailer-daemon info marketing sales support
ssladmin ssladministrator sslwebmaster sysadmin no-reply noreply
"""
OURS = "passless"  # and whatever begins with it and a hyphen
BEGINNINGS = (f"{OURS}-", "systemd-", "_")  # of users that packages make
TAKEN = frozenset(map(names.key, f"{_USERS} {_MAILBOXES}".split()))


def check_chosen(name: str) -> None:
    """Refuse a name that people cannot give themselves on a server.

    Raises:
        BadName: it could be an e-mail address or more names than one, or programs know it already.
    """
    names.check_no_address(name)
    if not names.is_plain(name):
        raise BadName(
            f'"{name}" has signs in it that programs may split it at',
            hint=f"use letters, digits, spaces and {names.PLAIN.strip()}",
        )
    word = names.key(name)
    if word in TAKEN or word == OURS or word.startswith(BEGINNINGS):
        raise BadName(
            f'"{name}" is a name that programs and mail use for themselves',
            hint="choose another name, or ask an operator over everybody for an invitation to that name",
        )
