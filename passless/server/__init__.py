"""The server: the HTTP interface, the pages, and what speaks OAuth."""
