-- What is kept beside the accounts: invitations, clients and grants of OAuth, answers to be repeated.

CREATE TABLE records (
    kind text NOT NULL,
    record_key text NOT NULL,
    account_id text NOT NULL,
    ends_at bigint,
    version bigint NOT NULL,
    document blob NOT NULL,
    PRIMARY KEY (kind, record_key)
) WITHOUT ROWID;
CREATE INDEX records_of_an_account ON records (account_id, kind, record_key);
CREATE INDEX records_by_end ON records (ends_at) WHERE ends_at IS NOT NULL;

CREATE INDEX ended_by_item ON ended (item);

-- How often old copies were made void: a writer that does not know of the last time has to look again.
ALTER TABLE writers ADD COLUMN era bigint NOT NULL DEFAULT 0;
